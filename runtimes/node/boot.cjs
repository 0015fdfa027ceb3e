'use strict';
/**
 * Preloaded into a prepared node: waits for a task on descriptor 3 and makes everything ready for it.
 *
 *     node [flags] --require BOOT SCRIPT
 *
 * SCRIPT is the name of the task's script, which need not be there yet. Modules are preloaded
 * before node looks for its main program (https://nodejs.org/api/cli.html#-r---require-module), so
 * node itself then runs the script, exactly as `node SCRIPT` does: CommonJS or ES module,
 * require.main, stack traces, exit codes are its own.
 *
 * Resource limits cannot be set from JavaScript: whoever starts the process sets them.
 *
 * Exits with 70 if the task frame is malformed and with 71 if the task cannot be set up, both with a
 * line on stderr that begins with `scriptd:`; with 0 if the pipe is closed unused.
 */
const { isMainThread } = require('node:worker_threads');

// Nothing of this is left for the script to find, or for its child processes to inherit.
process.execArgv = process.execArgv.filter(
  (word, index, words) => !(word === '--require' && words[index + 1] === __filename) &&
    !(word === __filename && words[index - 1] === '--require'),
);

// A worker thread of the script is given the same flags.
if (isMainThread) {
  const { receiveTask } = require('./task.cjs');
  const { reportUncaught } = require('./exception-report.cjs');
  const { rehearse } = require('./rehearsal.cjs');
  const controlFd = 3;

  rehearse(process.argv[1]);
  const task = receiveTask(controlFd);
  reportUncaught(task);
}
for (const path of Object.keys(require.cache)) {
  if (path.startsWith(`${__dirname}/`)) delete require.cache[path];
}
