/** The thread of the live page: a server, and a look at the run folder every two seconds while somebody is looking at it. */
import { parentPort, workerData } from 'node:worker_threads';
import { createLivePage } from './live-page.js';
import { createReportHttp } from './report-http.js';

/** Given to the thread. */
export interface ServerOptions {
  run: string;
  port: number;
}

/** What the thread tells, once: where it listens, or why not. It is told `close`. */
export type ServerMessage = { port: number } | { failure: string };

/** Between two looks at the folder, in milliseconds. */
const INTERVAL = 2000;

const parent = parentPort;
if (!parent) throw new Error('internal: server-worker: expected to run as a worker thread');
const { run, port } = workerData as ServerOptions;
const tell = (message: ServerMessage) => parent.postMessage(message);

const page = createLivePage(run);
const server = createReportHttp({ run, page });
let timer: NodeJS.Timeout | undefined;
const look = async () => {
  if (server.watched) server.send(await page.update());
  timer = setTimeout(look, INTERVAL);
};
server.http.on('error', ({ message }) => {
  tell({ failure: message });
  parent.close();
});
server.http.listen(port, '127.0.0.1', () => {
  const address = server.http.address();
  tell({ port: typeof address === 'object' && address ? address.port : port });
  void look();
});
parent.once('message', async () => {
  clearTimeout(timer);
  server.send(await page.update());
  await server.close();
  // A look that was under way may have set the timer again.
  clearTimeout(timer);
  process.exit();
});
