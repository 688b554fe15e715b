-- The front in a container (see the Dockerfile). On hosts without containers `reveille render` makes another one.
-- Environment: REVEILLE_HOSTNAME, the hostname of the region.
-- Files, readable by user 10001: /run/secrets/component.secret, and below /etc/prosody/certs <hostname>.crt and .key.

-- Prosody 13 has Lua's functions in `Lua` and warns of a direct use; 0.12 does not know that name.
local lua = Lua or _G;

-- Standard output is a pipe here, where Lua would keep back the last lines.
lua.io.stdout:setvbuf("line");

local function first_line(path)
  local file = lua.assert(lua.io.open(path));
  local line = lua.assert(file:read("l"), path .. " is empty");
  file:close();
  return line;
end

-- Prosody writes a namespace again for each attribute and element that uses it: 7 kB from a peer become 1.1 MB, which take it
-- 80 ms, while everybody waits. Nothing in a publish has a long namespace or a prefixed attribute. A stream that brings the
-- one ends, the other goes no further. No option of Prosody does that.
local longest_namespace = 100
local function is_inflated(element)
  local attr = element.attr;
  if attr.xmlns and #attr.xmlns > longest_namespace then return true; end
  for name in lua.pairs(attr) do
    local namespace = name:match("^(.*)\1");
    if namespace and #namespace > longest_namespace then return true; end
    if namespace then attr[name] = nil; end
  end
  for _, child in lua.ipairs(element.tags) do
    if is_inflated(child) then return true; end
  end
end
local function refuse_inflated(stanza, session)
  if not is_inflated(stanza) then return stanza; end
  session:close({ condition = "policy-violation", text = "No publish has such a long namespace." });
end
local is_thirteen, filters = lua.pcall(lua.require, "prosody.util.filters");
if not is_thirteen then filters = lua.require("util.filters"); end
filters.add_filter_hook(function(session)
  if session.type:find("^s2s") then filters.add_filter(session, "stanzas/in", refuse_inflated, 1000); end
end);

-- Prosody logs whole stanzas in places, with the addresses of people, for example while no ingress is connected. Of such a line
-- only what stands before the first colon is written.
local function without_addresses(line)
  if not line:find("[<@]") and not line:find("JID") and not line:find("with error: ") then return line; end
  return (line:match("^([^:<@]*):") or "A line") .. ": (left out, it may name somebody)";
end

local hostname = lua.assert(ENV_REVEILLE_HOSTNAME, "REVEILLE_HOSTNAME is not set");

modules_enabled = { "tls"; "saslauth"; "dialback"; "s2s_bidi"; "smacks"; "limits" }
modules_disabled = { "c2s"; "offline"; "presence" }

s2s_require_encryption = true
s2s_secure_auth = true
s2s_ports = { 5269 }
s2s_direct_tls_ports = { 5270 }
certificates = "certs"

-- A publish has about 1 kB, with an encrypted summary 3 kB, and some 25 elements. A stream with a larger stanza ends.
s2s_stanza_size_limit = 10 * 1024
s2s_max_child_elements = 250
component_stanza_size_limit = 64 * 1024
-- What one stream may send: about 250 publishes a second. It is read later then, and nothing is lost.
limits = { s2sin = { rate = "250kb/s" }; s2sout = { rate = "250kb/s" } }
-- Whoever has not proven their name by then is disconnected.
s2s_timeout = 30
network_settings = { send_timeout = 30; nagle = false; ssl_handshake_timeout = 20 }
smacks_max_unacked_stanzas = 100

-- Reached by ingresses only: nobody publishes this port.
component_ports = { 5347 }
component_interfaces = { "*", "::" }

pidfile = "/run/prosody/prosody.pid"
data_path = "/run/prosody"
log = { { to = "stdout"; levels = { min = "info" }; filter = without_addresses } }

VirtualHost "localhost"
  modules_disabled = { "s2s"; "s2s_bidi"; "tls"; "saslauth"; "dialback"; "smacks" }
  -- Nobody asks here; without it `prosodyctl check` calls the component below unreferenced.
  disco_items = { { hostname } }

Component (hostname)
  component_secret = first_line("/run/secrets/component.secret")
  component_conflict_resolve = "kick_new"
