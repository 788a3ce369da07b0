// A Hugging Face hub of one file on the loopback interface, which can cut answers short, lie and ignore ranges.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeHubOptions {
  repo: string;
  files: Record<string, Buffer>;
  /** Bytes after which each answer stops until cut() breaks the line, one after the other; then answers are whole. */
  cuts?: number[];
  /** The hash that the hub claims, where it lies. */
  sha256?: string;
  /** Small files are kept in git, without a sha256. */
  inGit?: boolean;
  ignoresRanges?: boolean;
  token?: string;
}

export interface FakeHub {
  url: string;
  /** The Range headers of the downloads, '' = none. */
  ranges: string[];
  requests: string[];
  /** Breaks the line if the answer under way has stopped at this byte of the file. */
  cut: (byte: number) => void;
  close: () => Promise<void>;
}

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
const gitId = (data: Buffer) => createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex');

function describe(path: string, data: Buffer, { sha256: claimed, inGit }: FakeHubOptions) {
  const common = { type: 'file', path, size: data.length, oid: gitId(data) };
  return inGit ? common : { ...common, lfs: { oid: claimed ?? sha256(data), size: data.length, pointerSize: 135 } };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

function sendFile(
  data: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
  hub: FakeHub,
  options: FakeHubOptions,
) {
  const { range = '' } = request.headers;
  const isProbe = range === 'bytes=0-0'; // The client asks for the size first.
  if (!isProbe) hub.ranges.push(range);
  const match = options.ignoresRanges && !isProbe ? null : /^bytes=(\d+)-(\d*)$/.exec(range);
  const start = Number(match?.[1] ?? 0);
  const end = match?.[2] ? Number(match[2]) + 1 : data.length;
  response.writeHead(match ? 206 : 200, {
    'Content-Length': end - start,
    ETag: `"${sha256(data)}"`,
    ...(match ? { 'Content-Range': `bytes ${start}-${end - 1}/${data.length}` } : {}),
  });
  const cut = isProbe ? undefined : options.cuts?.shift();
  if (cut === undefined) return void response.end(data.subarray(start, end));
  hub.cut = (byte) => byte === start + cut && response.destroy();
  response.write(data.subarray(start, start + cut));
}

export async function startFakeHub(options: FakeHubOptions): Promise<FakeHub> {
  const server = createServer((request, response) => void answer(request, response));
  const hub: FakeHub = { url: '', ranges: [], requests: [], cut: () => {}, close: () => close(server) };
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    hub.requests.push(`${request.method} ${request.url}`);
    if (options.token && request.headers.authorization !== `Bearer ${options.token}`) {
      return void response.writeHead(401).end();
    }
    if (request.url === `/api/models/${options.repo}/paths-info/main`) {
      const { paths } = JSON.parse(await readBody(request)) as { paths: string[] };
      const found = paths.flatMap((path) =>
        options.files[path] ? [describe(path, options.files[path], options)] : [],
      );
      return void response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(found));
    }
    const path = request.url?.split('?')[0]?.slice(`/${options.repo}/resolve/main/`.length) ?? '';
    const data = options.files[path];
    if (data) return sendFile(data, request, response, hub, options);
    response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  hub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return hub;
}

function close(server: ReturnType<typeof createServer>): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
