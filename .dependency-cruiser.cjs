// The import directions of docs/ARCHITECTURE.md. `npm run lint` checks them.
const small = '^src/(backoff|cron|durable-file|figures|file-names|histogram|inherited-store|limits|errors|invariant|isolation|clock|log|native|schedule|schema|task|task-cursor|task-words|utf8|verdict|vitals|webhook)\\.ts$';

/** Folder -> what it may import besides itself and the small modules at the top of src/. */
const allowed = {
  poll: [],
  checker: [],
  scheduler: [],
  scaling: [],
  client: ['http'],
  config: [],
  drill: [],
  wire: ['poll'],
  store: ['scheduler'],
  worker: ['wire', 'poll', 'checker'],
  http: ['wire', 'scheduler', 'poll', 'checker'],
  // How answers show a task is how receivers are told of it.
  webhooks: ['http'],
  controller: ['scheduler', 'scaling', 'store', 'wire', 'poll', 'webhooks'],
  selftest: ['worker', 'wire', 'poll'],
  systemd: ['poll'],
};

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'small-modules-import-nothing',
      severity: 'error',
      from: { path: small },
      to: { path: '^src/', pathNot: small },
    },
    ...Object.entries(allowed).map(([folder, targets]) => ({
      name: `${folder}-imports`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: {
        path: '^src/',
        pathNot: [small, `^src/${folder}/`, ...targets.map((target) => `^src/${target}/`)],
      },
    })),
    {
      name: 'http-takes-types-from-scheduler',
      severity: 'error',
      from: { path: '^src/http/' },
      to: { path: '^src/scheduler/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'client-takes-types-from-http',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: '^src/http/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'store-takes-types-from-scheduler',
      severity: 'error',
      from: { path: '^src/store/' },
      to: { path: '^src/scheduler/', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
