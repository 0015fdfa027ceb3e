import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Static, type TSchema, Type } from 'typebox';
import { isolationFloors } from '../isolation.js';
import { limits } from '../limits.js';
import { logLevels } from '../log.js';
import { MapOf, OneOf } from '../schema.js';
import { Check, LimitsAsked, networks, Retry, TypeName } from '../task.js';
import { KubernetesSetting, ScalingSetting } from './scaling-settings.js';

/** How a value is written on the command line and in the environment, where all is text. */
export type Notation = 'text' | 'number' | 'switch' | 'list' | 'slots' | 'none';

export interface Setting<S extends TSchema = TSchema> {
  schema: S;
  /** In a flag and in SCRIPTD_*: `number` 5000; `list` a,b; `slots` python=2,node=1; `none`: file only. */
  notation: Notation;
  default: Static<S> | (() => Static<S>);
  /** Placeholder of the flag's value in --help. */
  placeholder?: string;
  help: string;
}

const setting = <S extends TSchema>(setting: Setting<S>) => setting;
const port = Type.Integer({ minimum: 0, maximum: 65_535 });
const durationMs = Type.Integer({ minimum: 0, maximum: 86_400_000 });
const strings = Type.Array(Type.String({ minLength: 1 }));

/** How scripts of one type are executed. */
export const RuntimeSetting = Type.Object(
  {
    /** The built-in runtime that executes this type, when it is not the one of the same name. */
    kind: Type.Optional(OneOf(['python', 'node', 'bash', 'noop', 'command'])),
    /** Of a type that is not built in: the program and its arguments; `{script}` is the script. */
    command: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
    /** Of a built-in type: path of the interpreter, instead of the one found in PATH. */
    interpreter: Type.Optional(Type.String({ minLength: 1 })),
    /** Of the script's file, e.g. `.rb`. */
    extension: Type.Optional(Type.String({ pattern: '^\\.[A-Za-z0-9_-]{1,16}$' })),
    env: Type.Optional(MapOf(Type.String())),
    /** `host`: a task that asks for it gets the network of this host. Default none. */
    network: Type.Optional(OneOf(networks)),
    /** What a task of this type gets when it does not ask. */
    limits: Type.Optional(LimitsAsked),
    /** The most that a task of this type may ask for. */
    limitsMax: Type.Optional(LimitsAsked),
    /** What the output of a task of this type has to be that does not say so itself. */
    check: Type.Optional(Check),
    /** How tasks of this type are tried again that do not ask. */
    retry: Type.Optional(Retry),
    /** Of python: modules that are imported before a script comes, so that it need not wait. */
    preload: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_.]{0,127}$' }), { maxItems: 256 }),
    ),
    /** `fresh`: each script has an address layout of its own, at the price of a slower start. */
    aslr: Type.Optional(OneOf(['shared', 'fresh'])),
  },
  { additionalProperties: false },
);
export type RuntimeSetting = Static<typeof RuntimeSetting>;

/** A worker that is started elsewhere and listens there. */
export const RemoteWorker = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
    type: TypeName,
    slots: Type.Integer({ minimum: 1, maximum: 4096 }),
    /** tcp://HOST:PORT */
    address: Type.String({ minLength: 1 }),
  },
  { additionalProperties: false },
);

/**
 * Every setting, once: its key in scriptd.yaml; `--kebab-case` on the command line; SCRIPTD_UPPER_CASE
 * in the environment. Flags over environment over file over default.
 */
export const settings = {
  host: setting({
    schema: Type.String({ minLength: 1 }),
    notation: 'text',
    default: '127.0.0.1',
    placeholder: 'address',
    help: 'address that the HTTP port binds to',
  }),
  port: setting({
    schema: port,
    notation: 'number',
    default: 5000,
    help: 'HTTP port; 0 takes a free one',
  }),
  debugHost: setting({
    schema: Type.String({ minLength: 1 }),
    notation: 'text',
    default: '127.0.0.1',
    placeholder: 'address',
    help: 'address that the debug port binds to',
  }),
  debugPort: setting({
    schema: port,
    notation: 'number',
    default: 5001,
    help: 'debug port; 0 takes a free one',
  }),
  dataDir: setting({
    schema: Type.String({ minLength: 1 }),
    notation: 'text',
    default: defaultDataDir,
    placeholder: 'dir',
    help: 'folder for sockets, the wire token and work directories',
  }),
  runDir: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'dir',
    help: 'folder for sockets; default: DATA-DIR/run',
  }),
  workers: setting({
    schema: Type.Record(TypeName, Type.Integer({ minimum: 1, maximum: 4096 }), {
      additionalProperties: false,
      minProperties: 1,
    }),
    notation: 'slots',
    default: () => ({}),
    placeholder: 'type=slots,...',
    help: 'one worker per type, with so many scripts at once',
  }),
  runtimes: setting({
    schema: Type.Record(TypeName, RuntimeSetting, { additionalProperties: false }),
    notation: 'none',
    default: () => ({}),
    help: 'how scripts of each type are executed (in scriptd.yaml only)',
  }),
  manager: setting({
    schema: OneOf(['local', 'none', 'kubernetes']),
    notation: 'text',
    default: 'local',
    placeholder: 'kind',
    help: 'who starts workers: local (the controller, here), none (others, e.g. systemd), kubernetes',
  }),
  scaling: setting({
    schema: Type.Record(TypeName, ScalingSetting, { additionalProperties: false }),
    notation: 'none',
    default: () => ({}),
    help: 'between what bounds the number of workers follows the load (in scriptd.yaml only)',
  }),
  kubernetes: setting({
    schema: KubernetesSetting,
    notation: 'none',
    default: () => ({}),
    help: 'the pods of workers, where the manager is kubernetes (in scriptd.yaml only)',
  }),
  limits: setting({
    schema: LimitsAsked,
    notation: 'none',
    default: () => ({}),
    help: 'what tasks of every type may use that do not ask (in scriptd.yaml only)',
  }),
  durability: setting({
    schema: OneOf(['fsync', 'os', 'memory']),
    notation: 'text',
    default: 'fsync',
    placeholder: 'level',
    help: 'when a task counts as stored: fsync (on disk), os (given to the system), memory (nowhere)',
  }),
  retentionMs: setting({
    schema: Type.Integer({ minimum: 0, maximum: 10 * 366 * 86_400_000 }),
    notation: 'number',
    default: 7 * 86_400_000,
    placeholder: 'ms',
    help: 'how long finished tasks are kept',
  }),
  retentionBytes: setting({
    schema: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    notation: 'number',
    default: 10 * 1024 ** 3,
    placeholder: 'bytes',
    help: 'how much code and output of finished tasks is kept',
  }),
  groups: setting({
    schema: MapOf(Type.Number({ minimum: 0.01, maximum: 1_000 }), { namesMax: limits.tagBytesMax }),
    notation: 'none',
    default: () => ({}),
    help: 'weights of groups, whose shares are fair by them; others have 1 (in scriptd.yaml only)',
  }),
  evaluator: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'file',
    help: 'module with `route` and `score` of your own, e.g. ./mine.js',
  }),
  webhookAllow: setting({
    schema: strings,
    notation: 'list',
    default: () => [],
    placeholder: 'host,...',
    help: 'where webhooks may lead beside public addresses: hosts, addresses, ranges (10.1.0.0/16)',
  }),
  webhookSecretFile: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'file',
    help: 'signs webhooks of tasks without a secret; default: DATA-DIR/webhook-secret, made when missing',
  }),
  tokenFile: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'file',
    help: 'bearer tokens that clients must give, one per line',
  }),
  auditLog: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'file',
    help: 'where refused requests are written down; default: the log',
  }),
  auth: setting({
    schema: Type.Boolean(),
    notation: 'switch',
    default: true,
    help: 'serve without tokens on any address: something else guards the port',
  }),
  allowedHosts: setting({
    schema: strings,
    notation: 'list',
    default: () => [],
    placeholder: 'name,...',
    help: 'further Host names to answer to when there are no tokens',
  }),
  drainMs: setting({
    schema: durationMs,
    notation: 'number',
    default: 30_000,
    placeholder: 'ms',
    help: 'how long running scripts may go on after SIGTERM',
  }),
  orphanMs: setting({
    schema: durationMs,
    notation: 'number',
    default: 55_000,
    placeholder: 'ms',
    help: 'a worker that finds no controller for so long exits',
  }),
  isolation: setting({
    schema: OneOf(isolationFloors),
    notation: 'text',
    default: 'strict',
    placeholder: 'level',
    help: 'the least that keeps scripts apart from this host: none, basic, strict, or auto',
  }),
  firstScriptId: setting({
    schema: Type.Integer({ minimum: 1_000, maximum: 2_147_000_000 }),
    notation: 'number',
    default: 1_900_000_000,
    help: 'first of the user ids that scripts run as at isolation strict, 16,384 for each worker',
  }),
  otlpEndpoint: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'url',
    help: 'collector that gets a trace of each task by OTLP/HTTP, e.g. http://127.0.0.1:4318',
  }),
  logLevel: setting({
    schema: OneOf(logLevels),
    notation: 'text',
    default: 'info',
    placeholder: 'level',
    help: `one of ${logLevels.join(', ')}`,
  }),
  wireTokenFile: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'file',
    help: 'token that the parts share; default: DATA-DIR/wire-token, made when missing',
  }),
  controller: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'address',
    help: 'where the controller listens; default: unix:RUN-DIR/controller.sock',
  }),
  controllerListen: setting({
    schema: strings,
    notation: 'list',
    default: () => [],
    placeholder: 'address,...',
    help: 'further addresses where the controller listens for http daemons, e.g. tcp://0.0.0.0:5004',
  }),
  joinListen: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'address',
    help: 'where the controller takes in workers that join it, e.g. tcp://0.0.0.0:5005',
  }),
  join: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'address',
    help: 'the controller that this worker connects to, instead of listening for it',
  }),
  remoteWorkers: setting({
    schema: Type.Array(RemoteWorker, { maxItems: 4096 }),
    notation: 'none',
    default: () => [],
    help: 'workers on other hosts that the controller connects to (in scriptd.yaml only)',
  }),
  reconnectGraceMs: setting({
    schema: durationMs,
    notation: 'number',
    default: 30_000,
    placeholder: 'ms',
    help: 'how long the tasks of a worker on another host wait for it when it is lost',
  }),
  tlsCert: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'file',
    help: 'certificate of this part, for TLS between hosts (scriptd certs init makes it)',
  }),
  tlsKey: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'file',
    help: 'private key of tlsCert',
  }),
  tlsCa: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'file',
    help: 'authority that must have signed the certificate of every other part',
  }),
  insecureTransport: setting({
    schema: Type.Boolean(),
    notation: 'switch',
    default: false,
    help: 'TCP between hosts without TLS: something else guards the network',
  }),
  listen: setting({
    schema: Type.String(),
    notation: 'text',
    default: '',
    placeholder: 'address',
    help: 'where this worker listens, e.g. unix:/run/scriptd/workers/python.sock',
  }),
  name: setting({
    schema: Type.String({ pattern: '^[A-Za-z0-9._-]{0,64}$' }),
    notation: 'text',
    default: '',
    placeholder: 'name',
    help: 'name of this part, unique among its kind',
  }),
  type: setting({
    schema: TypeName,
    notation: 'text',
    default: 'python',
    placeholder: 'type',
    help: 'type of task that this worker executes',
  }),
  slots: setting({
    schema: Type.Integer({ minimum: 1, maximum: 4096 }),
    notation: 'number',
    default: 1,
    help: 'scripts that this worker runs at once',
  }),
} as const;

export type SettingName = keyof typeof settings;
export type Config = { [Name in SettingName]: Static<(typeof settings)[Name]['schema']> };

export const settingNames = Object.keys(settings) as SettingName[];

/** `dataDir` → `--data-dir`; a switch that is on by default is turned off: `auth` → `--no-auth`. */
export function flagName(name: SettingName): string {
  const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return settings[name].default === true ? `--no-${kebab}` : `--${kebab}`;
}

/** `dataDir` → `SCRIPTD_DATA_DIR`. */
export function variableName(name: SettingName): string {
  return `SCRIPTD_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** /var/lib/scriptd for root, else $XDG_STATE_HOME/scriptd (XDG Base Directory Specification). */
function defaultDataDir(): string {
  if (process.getuid?.() === 0) return '/var/lib/scriptd';
  return join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'scriptd');
}
