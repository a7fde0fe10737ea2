/** Shows a page to whoever sits at this machine. Where nobody can, the address that was printed must do. */

/** Opens the user's browser, where there is a display to open it on; never fails. */
export async function openInBrowser(url: string): Promise<void> {
  if (!hasDisplay()) return;
  const { default: open } = await import('open');
  await open(url).catch(() => {});
}

/** A browser started over SSH would open on a screen that nobody looks at. */
function hasDisplay(): boolean {
  const { env, platform } = process;
  if (env['SSH_CONNECTION'] || env['SSH_TTY']) return false;
  return platform !== 'linux' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY'] || env['WSL_DISTRO_NAME']);
}
