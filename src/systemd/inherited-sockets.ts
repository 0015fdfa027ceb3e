import { ScriptdError } from '../errors.js';
import { epollAddon } from '../poll/native-poller.js';
import { translated } from '../poll/system-error.js';

/** A listening TCP socket that whoever started this process had opened. */
export interface InheritedSocket {
  fd: number;
  /** Literal IP address. */
  host: string;
  port: number;
}

/** SD_LISTEN_FDS_START of sd_listen_fds(3). */
const firstFd = 3;

/**
 * The sockets that systemd passed to this process, by their names (`FileDescriptorName=`). Takes the
 * variables that tell of them out of the environment; the sockets are not passed on to children.
 *
 * @param names which there may be, each once
 * @throws ScriptdError BAD_SOCKETS when others come, or some that do not listen on TCP
 *
 * Source: sd_listen_fds(3)
 */
export function takeInheritedSockets<Name extends string>(
  env: NodeJS.ProcessEnv,
  names: readonly Name[],
): Partial<Record<Name, InheritedSocket>> {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: named = '' } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  // Meant for another process, whose environment came down to this one.
  if (count === undefined || Number(pid) !== process.pid) return {};
  const given = named.split(':');
  const sockets: Partial<Record<Name, InheritedSocket>> = {};
  for (let index = 0; index < Number(count); index++) {
    const name = names.find((candidate) => candidate === given[index]);
    if (name === undefined) {
      throw bad(`socket ${index + 1} of ${count} is called \`${given[index] ?? ''}\``, names);
    }
    if (sockets[name]) throw bad(`two sockets are called \`${name}\``, names);
    sockets[name] = describe(firstFd + index, name, names);
  }
  return sockets;
}

function describe(fd: number, name: string, names: readonly string[]): InheritedSocket {
  try {
    return { fd, ...translated(`socket ${name}`, () => epollAddon.describeTcpListener(fd)) };
  } catch (cause) {
    throw bad(`the socket \`${name}\` (fd ${fd}) does not listen on TCP`, names, cause);
  }
}

function bad(what: string, names: readonly string[], cause?: unknown): ScriptdError {
  const cure = `one TCP port for each of ${names.join(', ')} is taken, by its FileDescriptorName=`;
  return new ScriptdError('BAD_SOCKETS', `systemd passed other sockets: ${what}; ${cure}`, {
    cause,
  });
}
