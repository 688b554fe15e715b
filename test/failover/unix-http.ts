import { request } from "node:http";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** One HTTP request over a Unix socket. Rejects if there is no answer within 5 s. */
export async function askOverUnix(
  socketPath: string,
  path: string,
  { method = "GET", body }: { readonly method?: string; readonly body?: object } = {},
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const asked = request({ socketPath, path, method, agent: false, timeout: 5_000 }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    response.on("error", reject);
  });
  asked.on("error", reject);
  asked.on("timeout", () => asked.destroy(new Error(`no answer to ${path} within 5 s`)));
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}
