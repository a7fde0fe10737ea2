/** A Vite plugin: a folder from elsewhere on the disk, read-only, under a path of the page's own origin. */
import sirv from 'sirv';
import type { Connect, Plugin } from 'vite';

/**
 * Files are read anew for each request, so a bundle that was exported again is there on reload. What is not in the
 * folder, or would lead out of it, is 404 and never the page itself.
 */
export function serveFolder(route: string, folder: string): Plugin {
  const use = ({ middlewares }: { middlewares: Connect.Server }) => {
    const files = sirv(folder, { dev: true });
    // Without a `next`, what is not found ends here.
    middlewares.use(route, (request, response) => files(request, response));
  };
  return { name: `serve ${route}`, configureServer: use, configurePreviewServer: use };
}
