import type { Server, Socket } from 'node:net';
import { FairPlaces } from '../admission/fair-places.ts';

/** Drops connections of an address that holds more than it leaves to others: nobody alone can keep all others out. */
export function shareConnections(server: Server, maxConnections: number): void {
  const places = new FairPlaces(maxConnections);
  server.on('connection', (socket: Socket) => {
    const leave = places.take(socket.remoteAddress ?? '');
    if (leave === undefined) socket.destroy();
    else socket.once('close', leave);
  });
}
