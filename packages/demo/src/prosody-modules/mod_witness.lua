-- Tells, in the log, what mod_cloud_notify publishes and which replies come back; changes nothing.
-- One line of JSON each: {"event":"publish"|"reply", "at":<ms since 1970>, "id":<of the IQ>, …}

local json = require "util.json";
local now = require "util.time".now;

local function tell(fact)
	fact.at = now() * 1000;
	module:log("info", "%s", json.encode(fact));
end

-- Fired by mod_cloud_notify before it sends; a return value would block the push.
module:hook("cloud_notify/push", function (event)
	tell {
		event = "publish";
		id = event.notification_stanza.attr.id;
		user = event.username;
		to = event.push_info.jid;
		node = event.push_info.node;
		important = event.important;
	};
end);

module:hook("iq/host", function (event)
	local stanza = event.stanza;
	if stanza.attr.type == "result" then
		tell { event = "reply"; id = stanza.attr.id; from = stanza.attr.from; type = "result" };
	elseif stanza.attr.type == "error" then
		local error_type, condition, text = stanza:get_error();
		tell {
			event = "reply"; id = stanza.attr.id; from = stanza.attr.from; type = "error";
			errorType = error_type; condition = condition; text = text;
		};
	end
end, 1000);
