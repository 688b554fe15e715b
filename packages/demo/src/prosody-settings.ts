export interface MachineSettings {
  /** Where Prosody keeps its data. */
  readonly dataFolder: string;
  /** Folder with `<hostname>.crt` and `.key`. */
  readonly certificateFolder: string;
  readonly authorityFile: string;
  readonly serverPort: number;
  /** For s2s with direct TLS; none unless told. */
  readonly directTlsPort?: number;
  /** Of the private DNS. */
  readonly dnsSettings: string;
}

/** Global Prosody options that tie a server to this machine: loopback only, own ports, own CA, own DNS, log to us. */
export const machineSettings = (settings: MachineSettings): string => `
-- Prosody refuses root unless told; containers and CI often are root.
run_as_root = true
pidfile = nil
data_path = "${settings.dataFolder}"
log = { { to = "console", levels = { min = "debug" } } }
certificates = "${settings.certificateFolder}"
-- Trusts the test CA and nothing else.
ssl = { cafile = "${settings.authorityFile}"; capath = "/nonexistent" }
s2s_ports = { ${settings.serverPort} }
s2s_direct_tls_ports = { ${settings.directTlsPort ?? ""} }
interfaces = { "127.0.0.1" }
${settings.dnsSettings}
`;
