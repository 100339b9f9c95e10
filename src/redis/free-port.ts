/** TCP ports of this machine's loopback interface. */

import { once } from 'node:events';
import { createServer } from 'node:net';

/** The only address an embedded server listens on: nobody else on the network can reach it. */
export const LOOPBACK = '127.0.0.1';

/**
 * Binds `port` (0: one the system chooses) for a moment and answers its number.
 *
 * Between the answer and its use another process may take the port; callers that let the system choose try again.
 *
 * @throws the system's error, such as `EADDRINUSE`.
 */
export async function probePort(port: number): Promise<number> {
  const server = createServer().listen(port, LOOPBACK);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Whether nobody listens on `port` of the loopback interface right now. */
export async function isPortFree(port: number): Promise<boolean> {
  return probePort(port).then(
    () => true,
    () => false,
  );
}
