import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { errorCode, ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { httpLimits } from './limits.js';

/** A file of the page, as it is and as the build compressed it. */
export interface PageAsset {
  type: string;
  identity: Buffer;
  br?: Buffer;
  gzip?: Buffer;
}

/** The page with all that it loads. */
export interface PageFiles {
  /** What stands between the places where a nonce goes. */
  html: readonly Buffer[];
  /** By their names, which have a hash of their contents in them. */
  assets: ReadonlyMap<string, PageAsset>;
}

/** Stands in the page where each answer has its own nonce. */
const noncePlace = '__NONCE__';

/** How the build marks what it compressed. */
const codings = { '.br': 'br', '.gz': 'gzip' } as const;

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/**
 * Reads what the build made of the page, all of it: what is asked for is then looked up by its name,
 * and no name leads anywhere else. Undefined where there is none, or too much of it: the service goes
 * on without, and the log says so.
 */
export function readPage(folder: string, log: Log): PageFiles | undefined {
  try {
    const room = { bytes: httpLimits.pageBytesMax, files: httpLimits.pageFilesMax };
    const html = readWithin(join(folder, 'index.html'), room).toString('utf8').split(noncePlace);
    return { html: html.map((part) => Buffer.from(part)), assets: readAssets(folder, room) };
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    const cure = 'npm run build makes it; the API is there without';
    log.warn({ folder, code: errorCode(error) }, `GET / shows no page in a browser: ${cure}`);
    return undefined;
  }
}

interface Room {
  bytes: number;
  files: number;
}

function readAssets(folder: string, room: Room): Map<string, PageAsset> {
  const place = join(folder, 'assets');
  const names = readdirSync(place, { withFileTypes: true }).filter(isFile);
  const assets = new Map<string, PageAsset>();
  const compressed = names.filter(({ name }) => extname(name) in codings);
  for (const { name } of names.filter((entry) => !compressed.includes(entry))) {
    const type = types[extname(name)] ?? 'application/octet-stream';
    assets.set(name, { type, identity: readWithin(join(place, name), room) });
  }
  for (const { name } of compressed) {
    const ending = extname(name) as keyof typeof codings;
    const asset = assets.get(name.slice(0, -ending.length));
    if (asset) asset[codings[ending]] = readWithin(join(place, name), room);
  }
  return assets;
}

function isFile(entry: Dirent): boolean {
  return entry.isFile();
}

/** @throws ScriptdError PAGE_TOO_LARGE, and what the file system says */
function readWithin(path: string, room: Room): Buffer {
  room.bytes -= statSync(path).size;
  room.files -= 1;
  if (room.bytes < 0 || room.files < 0) {
    throw new ScriptdError('PAGE_TOO_LARGE', `with ${path} the page is too large to be kept`);
  }
  return readFileSync(path);
}
