import { counter, type Family } from '../figures.js';

/** What went over all connections of one sort, since the process began. Plain numbers, added up. */
export class Traffic {
  framesIn = 0;
  framesOut = 0;
  /** With the length before each frame, without what TLS adds. */
  bytesIn = 0;
  bytesOut = 0;
}

/** What a part exchanged with each sort of peer. */
export function trafficFamilies(
  part: string,
  traffic: Readonly<Record<string, Traffic>>,
): Family[] {
  const peers = Object.entries(traffic);
  return [
    counter(
      'scriptd_wire_frames_total',
      'Messages between the parts of scriptd.',
      peers.flatMap(([peer, { framesIn, framesOut }]) => [
        [{ part, peer, direction: 'in' }, framesIn],
        [{ part, peer, direction: 'out' }, framesOut],
      ]),
    ),
    counter(
      'scriptd_wire_bytes_total',
      'Bytes of them, without what TLS adds.',
      peers.flatMap(([peer, { bytesIn, bytesOut }]) => [
        [{ part, peer, direction: 'in' }, bytesIn],
        [{ part, peer, direction: 'out' }, bytesOut],
      ]),
    ),
  ];
}
