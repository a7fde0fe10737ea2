/**
 * TensorBoard's events as protobuf bytes: the few fields that scalars, images and a restart need, by their numbers in
 * tensorboard/compat/proto/{event,summary}.proto. Writes no files.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { pngHeader } from '../png-header.js';

/** What an event says; one of these. */
export type EventContent =
  /** The first event of each file. */
  | { fileVersion: string }
  /** Training begins here (again): what was logged for this step and later ones no longer counts. */
  | { sessionStart: true }
  | { scalars: Readonly<Record<string, number>> }
  | { image: { tag: string; png: Uint8Array } };

/**
 * One event.
 * @param wallTime seconds since 1970
 * @param step of the training
 */
export function encodeEvent(wallTime: number, step: number, content: EventContent): Uint8Array {
  const event = new BinaryWriter();
  event.tag(1, WireType.Bit64).double(wallTime);
  event.tag(2, WireType.Varint).int64(step);
  if ('fileVersion' in content) event.tag(3, WireType.LengthDelimited).string(content.fileVersion);
  else if ('sessionStart' in content) {
    const START = 1;
    event.tag(7, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(START).join();
  } else {
    event.tag(5, WireType.LengthDelimited).fork();
    if ('scalars' in content) {
      for (const [tag, value] of Object.entries(content.scalars)) {
        summaryValue(event, tag).tag(2, WireType.Bit32).float(value).join();
      }
    } else {
      const header = pngHeader(content.image.png);
      if (!header) throw new Error('internal: TensorBoard image: expected a PNG, got other bytes');
      summaryValue(event, content.image.tag).tag(4, WireType.LengthDelimited).fork();
      event.tag(1, WireType.Varint).int32(header.height);
      event.tag(2, WireType.Varint).int32(header.width);
      event.tag(3, WireType.Varint).int32(header.channels);
      event.tag(4, WireType.LengthDelimited).bytes(content.image.png).join().join();
    }
    event.join();
  }
  return event.finish();
}

function summaryValue(event: BinaryWriter, tag: string): BinaryWriter {
  return event.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(tag);
}
