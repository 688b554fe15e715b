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

local hostname = lua.assert(ENV_REVEILLE_HOSTNAME, "REVEILLE_HOSTNAME is not set");

modules_enabled = { "tls"; "saslauth"; "dialback"; "s2s_bidi"; "smacks" }
modules_disabled = { "c2s"; "offline"; "presence" }

s2s_require_encryption = true
s2s_secure_auth = true
s2s_ports = { 5269 }
s2s_direct_tls_ports = { 5270 }
certificates = "certs"

s2s_stanza_size_limit = 64 * 1024
component_stanza_size_limit = 64 * 1024
network_settings = { send_timeout = 30; nagle = false }
smacks_max_unacked_stanzas = 100

-- Reached by ingresses only: nobody publishes this port.
component_ports = { 5347 }
component_interfaces = { "*", "::" }

pidfile = "/run/prosody/prosody.pid"
data_path = "/run/prosody"
log = { info = "*console" }

VirtualHost "localhost"
  modules_disabled = { "s2s"; "s2s_bidi"; "tls"; "saslauth"; "dialback"; "smacks" }
  -- Nobody asks here; without it `prosodyctl check` calls the component below unreferenced.
  disco_items = { { hostname } }

Component (hostname)
  component_secret = first_line("/run/secrets/component.secret")
  component_conflict_resolve = "kick_new"
