// Preloaded (node --import): files on disks that are full or broken. WINNOW_TEST_FAULTS says which, a JSON array of Fault.
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

export interface Fault {
  /** What the file's name ends with. */
  file: string;
  on: 'open' | 'write' | 'sync' | 'read';
  /** What the system says. @default nothing: only `longest` counts */
  code?: 'ENOSPC' | 'EIO';
  /** Bytes of the file that can be read or written before. @default 0 */
  after?: number;
  /** The opening from which on it fails, from 1. @default 1 */
  opening?: number;
  /** Bytes that one call reads or writes at most. @default no limit */
  longest?: number;
}

const words = { ENOSPC: 'no space left on device', EIO: 'i/o error' };
const faults = JSON.parse(process.env.WINNOW_TEST_FAULTS!) as Fault[];
const openings = new Map<string, number>();
const lengths = new Map<Fault, number>(); // Bytes that have been read or written.

function failure(code: 'ENOSPC' | 'EIO', call: string): Error {
  return Object.assign(new Error(`${code}: ${words[code]}, ${call}`), { code, syscall: call });
}

/** Those of a file that is being opened now. */
function faultsOf(file: unknown): Fault[] {
  const name = String(file);
  const opening = (openings.get(name) ?? 0) + 1;
  openings.set(name, opening);
  return faults.filter((fault) => name.endsWith(fault.file) && opening >= (fault.opening ?? 1));
}

function failOn(call: Fault['on'], found: Fault[]): void {
  for (const { on, code } of found) if (on === call && code) throw failure(code, call);
}

/** How much of a read or write succeeds: as the system does, a part before the failure. Throws where that is nothing. */
function allowed(call: 'read' | 'write', found: Fault[], length: number): number {
  let most = length;
  for (const fault of found.filter(({ on }) => on === call)) {
    const { code, after = 0, longest = Infinity } = fault;
    const room = code ? after - (lengths.get(fault) ?? 0) : Infinity;
    if (code && room <= 0 && length > 0) throw failure(code, call);
    most = Math.min(most, room, longest);
    lengths.set(fault, (lengths.get(fault) ?? 0) + most);
  }
  return most;
}

type Write = (bytes: Buffer, offset: number, length: number) => Promise<{ bytesWritten: number }>;

function spoil(handle: FileHandle, found: Fault[]): FileHandle {
  const write = handle.write.bind(handle) as Write;
  const read = handle.read.bind(handle);
  const [sync, datasync] = [handle.sync.bind(handle), handle.datasync.bind(handle)];
  const writePart = async (bytes: Buffer, offset: number) =>
    (await write(bytes, offset, allowed('write', found, bytes.length - offset))).bytesWritten;
  // As Node's own: until everything is written.
  const writeAll = async (data: string | Uint8Array) => {
    const bytes = Buffer.from(data as Uint8Array);
    for (let offset = 0; offset < bytes.length;) offset += await writePart(bytes, offset);
  };
  const checked = (action: () => Promise<void>) => async () => {
    failOn('sync', found);
    await action();
  };
  return Object.assign(handle, {
    writeFile: writeAll,
    appendFile: writeAll,
    sync: checked(sync),
    datasync: checked(datasync),
    read: async (buffer: Buffer, offset: number, length: number, position: number) =>
      read(buffer, offset, allowed('read', found, length), position),
  });
}

const { open: openHandle, readFile } = fsPromises;
fsPromises.open = async (file, ...how) => {
  const found = faultsOf(file);
  failOn('open', found);
  const handle = await openHandle(file, ...how);
  return found.length > 0 ? spoil(handle, found) : handle;
};
fsPromises.readFile = (async (file: string, ...how: []) => {
  const found = faultsOf(file);
  failOn('read', found);
  return readFile(file, ...how);
}) as typeof readFile;

// Streams that read: they call `fs` as it is here.
const ofDescriptor = new Map<number, Fault[]>();
const { open, read, writeFileSync } = fs;
type Opened = (error: Error | null, descriptor: number) => void;
fs.open = ((file: string, flags: string, mode: number, done: Opened) => {
  const found = faultsOf(file);
  open(file, flags, mode, (error, descriptor) => {
    if (!error) ofDescriptor.set(descriptor, found);
    done(error, descriptor);
  });
}) as typeof open;
type Read = (...args: [number, Buffer, number, number, number | null, (error: Error | null) => void]) => void;
fs.read = ((descriptor, buffer, offset, length, position, done) => {
  try {
    const part = allowed('read', ofDescriptor.get(descriptor) ?? [], length);
    (read as unknown as Read)(descriptor, buffer, offset, part, position, done);
  } catch (error) {
    process.nextTick(done, error);
  }
}) as Read as unknown as typeof read;

// hyparquet-writer: opens, writes and closes in one call, and gets all that it asked for or an error.
fs.writeFileSync = (file, data, options) => {
  const found = faultsOf(file);
  failOn('open', found);
  const bytes = Buffer.from(data as Uint8Array);
  const part = bytes.length > 0 ? allowed('write', found, bytes.length) : 0;
  writeFileSync(file, bytes.subarray(0, part), options);
  if (part < bytes.length) throw failure('ENOSPC', 'write');
};
syncBuiltinESMExports();
