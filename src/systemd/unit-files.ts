export interface UnitFile {
  /** In deploy/systemd. */
  source: string;
  /** Where it goes, absolute. */
  target: string;
  /** Settings: what is there already stays. */
  keeps: boolean;
}

const separateUnits = [
  'scriptd.target',
  'scriptd-controller.service',
  'scriptd-http.service',
  'scriptd-http.socket',
  'scriptd-http-debug.socket',
  'scriptd-worker@.service',
];
const workerSettings = ['worker-python.env', 'worker-node.env', 'worker-bash.env'];

/**
 * The files of deploy/systemd and where each of them goes on a host of somebody who installs by hand.
 *
 * @param separate the parts as units of their own, instead of all in one
 */
export function unitFiles(separate: boolean): UnitFile[] {
  const units = separate ? separateUnits : ['scriptd.service'];
  const settings = ['scriptd.yaml', ...(separate ? workerSettings : [])];
  return [
    { source: 'scriptd.sysusers', target: '/etc/sysusers.d/scriptd.conf', keeps: false },
    ...units.map((name) => ({ source: name, target: `/etc/systemd/system/${name}`, keeps: false })),
    ...settings.map((name) => ({ source: name, target: `/etc/scriptd/${name}`, keeps: true })),
  ];
}
