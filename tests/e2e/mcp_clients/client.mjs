// An MCP client made of the TypeScript SDK alone. It is told what to do line by line on stdin, in JSON, and answers each
// line with one on stdout:
//   {"id", "do": "connect", "sdk": 1 or 2, "era"?, "server": {command, args, cwd, env} or {url, headers}, "answers"?: []}
//   {"id", "do": "list"}                                 all tools, as the server wrote them
//   {"id", "do": "call", "name", "arguments", "cancelAtProgress"?: n, "timeout"?: ms, "times"?: n}
//   {"id", "do": "raw", "method", "params"}              any other request
//   {"id", "do": "close"}
// "answers" are what the person behind this client answers when asked, in order; without them it cannot be asked. The
// "values" of an answer fill the fields of the form in their order.
// usage: node client.mjs NODE_MODULES
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "here.js"));
let client;
let asked = [];
let progress = [];

const generations = {
  1: () => ({
    Client: require("@modelcontextprotocol/sdk/client/index.js").Client,
    Stdio: require("@modelcontextprotocol/sdk/client/stdio.js").StdioClientTransport,
    Http: require("@modelcontextprotocol/sdk/client/streamableHttp.js").StreamableHTTPClientTransport,
    elicitation: require("@modelcontextprotocol/sdk/types.js").ElicitRequestSchema,
    call: (parameters, options) => client.callTool(parameters, undefined, options),
    request: (request) => client.request(request, require("@modelcontextprotocol/sdk/types.js").ResultSchema.loose()),
  }),
  2: () => ({
    Client: require("@modelcontextprotocol/client").Client,
    Stdio: require("@modelcontextprotocol/client/stdio").StdioClientTransport,
    Http: require("@modelcontextprotocol/client").StreamableHTTPClientTransport,
    elicitation: "elicitation/create",
    call: (parameters, options) => client.callTool(parameters, options),
    request: (request) => client.request(request),
  }),
};
let sdk;

async function connect({ sdk: generation, era, server, answers }) {
  sdk = generations[generation]();
  const capabilities = answers ? { elicitation: { form: {} } } : {};
  const versionNegotiation = generation === 2 ? { mode: era.startsWith("20") ? { pin: era } : era } : undefined;
  client = new sdk.Client({ name: "a-typescript-client", version: "1" }, { capabilities, versionNegotiation });
  if (answers) {
    client.setRequestHandler(sdk.elicitation, async (request) => {
      asked.push(request.params);
      const { values, ...answer } = answers.shift() ?? { action: "cancel" };
      const fields = Object.keys(request.params.requestedSchema.properties);
      return values ? { ...answer, content: Object.fromEntries(fields.map((name, at) => [name, values[at]])) } : answer;
    });
  }
  const transport = server.url
    ? new sdk.Http(new URL(server.url), { requestInit: { headers: server.headers ?? {} } })
    : new sdk.Stdio({ ...server, stderr: "inherit" });
  await client.connect(transport);
  return {
    server: client.getServerVersion(),
    capabilities: client.getServerCapabilities(),
    instructions: client.getInstructions(),
    version: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion,
  };
}

async function call({ name, arguments: given, cancelAtProgress, timeout = 100_000, times = 1 }) {
  asked = [];
  progress = [];
  const stopper = new AbortController();
  const onprogress = (told) => {
    progress.push(told);
    if (progress.length === cancelAtProgress) stopper.abort("the person changed their mind");
  };
  const options = { onprogress, signal: stopper.signal, timeout, resetTimeoutOnProgress: true };
  const calls = Array.from({ length: times }, () => sdk.call({ name, arguments: given }, options));
  const results = await Promise.all(calls);
  return times === 1 ? results[0] : results;
}

const verbs = {
  connect,
  call,
  list: () => client.listTools().then((listed) => listed.tools),
  raw: ({ method, params }) => sdk.request({ method, params }),
  close: () => client.close(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const wish = JSON.parse(line);
  let answer;
  try {
    answer = { result: (await verbs[wish.do](wish)) ?? null };
  } catch (error) {
    const { name, code = null, status = error.data?.status ?? null, message = String(error) } = error;
    answer = { error: { name, code, status, message } };
  }
  process.stdout.write(`${JSON.stringify({ id: wish.id, ...answer, asked, progress })}\n`);
}
await client?.close();
process.exit(0);
