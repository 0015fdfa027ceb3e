import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { ScriptdError } from '../errors.js';
import { packageRoot } from '../native.js';
import { unitFiles } from '../systemd/unit-files.js';

/** How the units of the Debian package start scriptd: what is put in the place of this. */
const packaged = '/usr/bin/node /usr/lib/scriptd/bin/scriptd';
/** Folders that a service with ProtectHome=yes does not see. */
const hidden = ['/home/', '/root/', '/run/user/'];

export function addInstallUnitsCommand(program: Command): void {
  const command = program
    .command('install-units')
    .description('systemd units for this installation, and what is to be enabled')
    .option('--root <dir>', 'folder that stands for / (an image, a package)', '/')
    .option('--separate', 'each part as a unit of its own, instead of scriptd.service');
  command.action(() => {
    const { root, separate = false } = command.opts<{ root: string; separate?: boolean }>();
    process.stdout.write(installUnits(resolve(root), separate));
  });
}

/**
 * Copies the units with the paths of this installation, and settings where there are none yet. On a
 * host that systemd runs it makes the user and has systemd read them.
 *
 * @returns what to do next, for people
 * @throws ScriptdError UNITS_HIDDEN, UNITS_FAILED, or of node:fs with code and syscall
 */
function installUnits(root: string, separate: boolean): string {
  requireVisible([process.execPath, packageRoot]);
  const start = `${process.execPath} ${join(packageRoot, 'bin', 'scriptd')}`;
  const lines: string[] = [];
  for (const { source, target, keeps } of unitFiles(separate)) {
    const path = join(root, target);
    if (keeps && existsSync(path)) {
      lines.push(`kept       ${path}`);
      continue;
    }
    const text = readFileSync(join(packageRoot, 'deploy', 'systemd', source), 'utf8');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.replaceAll(packaged, start), { mode: 0o644 });
    lines.push(`installed  ${path}`);
  }
  if (root === '/' && isRunning()) {
    run('systemd-sysusers', ['scriptd.conf']);
    run('systemctl', ['daemon-reload']);
  }
  return `${[...lines, '', ...nextSteps(separate)].join('\n')}\n`;
}

function nextSteps(separate: boolean): string[] {
  if (!separate) return ['Next: systemctl enable --now scriptd.service'];
  return [
    'Next, with a worker for each type that /etc/scriptd/scriptd.yaml names:',
    '  systemctl enable scriptd-controller.service scriptd-http.socket scriptd-http-debug.socket',
    '  systemctl enable scriptd-http.service scriptd-worker@python.service',
    '  systemctl enable --now scriptd.target',
  ];
}

function requireVisible(paths: readonly string[]): void {
  const path = paths.find((path) => hidden.some((folder) => path.startsWith(folder)));
  if (path === undefined) return;
  throw new ScriptdError(
    'UNITS_HIDDEN',
    `${path} lies where a service may not look (ProtectHome=yes): ` +
      'install node and scriptd below /usr or /opt, and call that one',
  );
}

/** sd_booted(3) */
function isRunning(): boolean {
  return existsSync('/run/systemd/system');
}

function run(program: string, args: string[]): void {
  const { status, signal, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (status === 0) return;
  const how = error ? error.message : `ended with ${signal ?? status}`;
  throw new ScriptdError('UNITS_FAILED', `${[program, ...args].join(' ')}: ${how}`);
}
