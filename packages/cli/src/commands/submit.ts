/** `cyclegan submit`: images into the fleet's queue, by reference. */
import { defineCommand } from '../command.js';
import {
  connectionOf,
  describeBatch,
  follow,
  queueOptions,
  storageOf,
  storageOptions,
} from '../fleet-options.js';
import { group, whole } from '../options.js';
import { quoted } from '../output.js';
import { imageOptions, translateOptions } from '../translate-options.js';

const { format, quality, size, metadata, profile, smoothing, direction, background } = translateOptions;

export const submit = defineCommand({
  command: 'submit <bundle> <input..>',
  describe: 'Put images into the queue, for cyclegan worker on any number of machines',
  about:
    'Lists the images and queues their names in chunks; images themselves never go through Redis. Prints the id of the batch, which follows from the images, the model and the options: the same command again doubles nothing, mends what was lost, and goes on with a batch that was cancelled. A single folder keeps its structure below --out; of several each gets a folder of its name.',
  positionals: {
    bundle: { type: 'string', demandOption: true, describe: 'Folder that cyclegan export wrote' },
    input: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Folders, images, s3://bucket/prefix',
    },
  },
  options: {
    out: {
      type: 'string',
      demandOption: true,
      describe: 'Folder or s3://bucket/prefix for the translations',
    },
    ...queueOptions,
    ...group('Batch:', {
      'batch-name': { type: 'string', defaultDescription: "the first input's", describe: 'For people' },
      chunk: {
        type: 'number',
        default: 32,
        coerce: whole('chunk', 1, 10_000),
        describe: 'Images that a worker takes at a time: fewer spread better, more need less of Redis',
      },
      attempts: {
        type: 'number',
        default: 5,
        coerce: whole('attempts', 1, 100),
        describe: 'Tries of a chunk, further and further apart, when storage or a device fails',
      },
      wait: { type: 'boolean', describe: 'Show progress until the batch has ended' },
    }),
    ...storageOptions,
    direction,
    precision: {
      ...translateOptions.precision,
      describe: 'Which of the models, for all workers; by default the one most like fp32',
    },
    ...{ format, quality, size, metadata, profile, smoothing, background },
  },
  examples: [
    ['submit bundles/monet /mnt/photos --out /mnt/painted', 'a folder that all machines have there'],
    ['submit bundles/monet s3://photos/2024 --out s3://painted/2024 --wait', 'from and to object storage'],
  ],

  async handler(args, { output, signal }) {
    const { openFleet } = await import('@cyclegan/runtime-node/fleet');
    const fleet = await openFleet(connectionOf(args, output));
    try {
      const progress = await output.progress('submit');
      const submitted = await fleet.submit({
        ...storageOf(args),
        bundle: args.bundle,
        inputs: args.input,
        out: args.out,
        direction: args.direction,
        precision: args.precision,
        name: args.batchName,
        chunk: args.chunk,
        attempts: args.attempts,
        options: imageOptions(args),
        signal,
        onProgress: ({ stage, done, total }) => {
          if (stage === 'add') progress.update(done, total ?? done, 'images');
        },
      });
      const { batch, images, chunks, added } = submitted;
      const line = `${batch}  ${images} images in ${chunks} chunks${added < chunks ? `, ${chunks - added} of them queued or done before` : ''}`;
      if (!args.wait) {
        output.result(line, { ...submitted });
        return 0;
      }
      output.note(line);
      const status = await follow(fleet, batch, { output, signal });
      output.result(describeBatch(status), { ...submitted, ...status });
      if (signal.aborted)
        output.note(`The batch goes on: cyclegan fleet status ${batch} --watch follows it.`);
      if (status.state === 'failed') output.note(`cyclegan fleet failed ${quoted(batch)} says what and why.`);
      return status.state === 'done' ? 0 : 1;
    } finally {
      await fleet.close();
    }
  },
});
