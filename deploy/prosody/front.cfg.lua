-- The front: takes publishes from users' servers (s2s) and hands them to the ingress (XEP-0114).
-- For Prosody 0.12 and later. Before use, {{hostname}} and {{secretFile}} are replaced:
--   {{hostname}}    hostname of the region, as users' servers know it, e.g. eu.push.example
--   {{secretFile}}  file whose first line is the secret shared with the ingress; readable by Prosody only

-- Secrets don't belong into a configuration file.
local function first_line(path)
  local file = assert(io.open(path));
  local line = assert(file:read("l"), path .. " is empty");
  file:close();
  return line;
end

-- Nothing but what a push service needs; no clients, no accounts, no offline storage.
modules_enabled = {
  "tls"; "saslauth"; "dialback";
  -- Replies go back on the connection the publish came on: many servers are not reachable from outside, and a
  -- reply that needs a connection of its own would be lost there (XEP-0288).
  "s2s_bidi";
  -- Notices connections that are dead without a word (XEP-0198).
  "smacks";
}
-- Not loaded on purpose: "limits". Its default of 30 kB/s for each server that connects would hold back
-- everything above about 30 publishes a second from one domain. The ingress limits domains by count.
modules_disabled = { "c2s"; "offline"; "presence" }

-- Only encrypted connections from servers that prove their name by a certificate.
s2s_require_encryption = true
s2s_secure_auth = true
s2s_ports = { 5269 }
-- Direct TLS (XEP-0368)
s2s_direct_tls_ports = { 5270 }
-- Folder with {{hostname}}.crt and .key; `prosodyctl cert import` fills it.
certificates = "certs"

-- A publish has about 1 kB, with an encrypted summary 3 kB.
s2s_stanza_size_limit = 64 * 1024
component_stanza_size_limit = 64 * 1024

-- A peer that reads nothing for 30 s is given up; the default of 180 s lets buffers grow.
network_settings = { send_timeout = 30 }

-- Here the ingress of this host connects, and in standby that of the other host. XEP-0114 knows no encryption:
-- between hosts it needs a tunnel.
component_ports = { 5347 }
component_interfaces = { "127.0.0.1" }

pidfile = "/run/prosody/prosody.pid"
log = { info = "*syslog" }

-- Prosody refuses to start without a host of its own. Nobody can reach this one.
VirtualHost "localhost"
  modules_disabled = { "s2s"; "s2s_bidi"; "tls"; "saslauth"; "dialback"; "smacks" }

Component "{{hostname}}"
  component_secret = first_line("{{secretFile}}")
  -- Who holds the slot keeps it; a second ingress is refused with `conflict` and waits (standby). The other way
  -- round two ingresses would throw each other out once a second.
  component_conflict_resolve = "kick_new"
