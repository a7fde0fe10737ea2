/** The four networks of a run and the numbers that each one learns. */
import { cycleganNetworks, networksSchema, parameterCount } from '@cyclegan/model';
import { escapeHtml } from './html.js';
import type { Settings } from './run-data.js';
import { count } from './words.js';

const tasks = { G_A: 'A → B', G_B: 'B → A', D_A: 'judges B', D_B: 'judges A' } as const;

const kinds: Readonly<Record<string, string>> = {
  resnet: 'ResNet',
  unet: 'U-Net',
  patch: 'PatchGAN',
  pixel: 'PixelGAN',
};

/** HTML of the section's content; empty when the settings hold no networks that this version knows. */
export function networksSection(settings: Settings): string {
  const config = networksSchema.safeParse(settings['networks']);
  if (!config.success) return '';
  const networks = cycleganNetworks(config.data);
  const rows = (['G_A', 'G_B', 'D_A', 'D_B'] as const).map((name) => {
    const kind = describe(name.startsWith('G') ? config.data.generator : config.data.discriminator);
    return { name, kind, parameters: parameterCount(networks[name].parameters) };
  });
  const sum = rows.reduce((total, { parameters }) => total + parameters, 0);
  const line = (head: string, words: string, parameters: number) =>
    `<tr><th scope="row">${head}</th><td class="words">${escapeHtml(words)}</td><td>${count(parameters)}</td><td>${megabytes(parameters)}</td></tr>`;
  return `<div class="card scroll values"><table><thead><tr><th scope="col">Network</th><th scope="col" class="words">Kind</th><th scope="col">Parameters</th><th scope="col">As float32</th></tr></thead><tbody>
${rows.map(({ name, kind, parameters }) => line(`${name} <span class="soft">${tasks[name]}</span>`, kind, parameters)).join('\n')}
${line('All', '', sum)}
</tbody></table></div>`;
}

function describe(network: object): string {
  const { kind, blocks, downs, layers, ngf, ndf, norm, dropout, upsample } = network as Settings;
  const words = [
    kinds[String(kind)] ?? String(kind),
    blocks === undefined ? '' : `${blocks} blocks`,
    downs === undefined ? '' : `${downs} halvings`,
    layers === undefined ? '' : `${layers} layers`,
    `width ${ngf ?? ndf}`,
    norm === undefined ? '' : `${norm} norm`.replace('none norm', 'no norm'),
    dropout ? 'dropout' : '',
    upsample === 'resize' ? 'resized upwards' : '',
  ];
  return words.filter((word) => word !== '').join(', ');
}

function megabytes(parameters: number): string {
  const bytes = 4 * parameters;
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
