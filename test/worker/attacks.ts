/**
 * Commands that would have the first process of a sandbox, which has the ids of the script, wait for a
 * processor or end. Each that works says so.
 */
export const attacksOnFirst = [
  'renice -n 19 -p 1',
  'renice -n 19 -u $(id -u)',
  'taskset -p 1 1',
  'chrt -i -p 0 1',
  'chrt -b -p 0 1',
  'ionice -c 3 -p 1',
  'prlimit --pid 1 --stack=0:0',
  'prlimit --pid 1 --cpu=0:0',
]
  .map((command) => `${command} >/dev/null && echo worked: ${command};`)
  .join(' ');
