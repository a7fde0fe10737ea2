/**
 * The byte features of a tf.Example message, read off the wire: `Example { Features features = 1 }`,
 * `Features { map<string, Feature> feature = 1 }`, `Feature { BytesList bytes_list = 1, … }`,
 * `BytesList { repeated bytes value = 1 }` (tensorflow/core/example). Nothing of numbers.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/**
 * The first byte string of each feature, by name; undefined for a feature of numbers.
 * @param message views into it are returned
 * @returns undefined for bytes that are no such message
 */
export function exampleBytes(message: Uint8Array): Map<string, Uint8Array | undefined> | undefined {
  const features = new Map<string, Uint8Array | undefined>();
  try {
    for (const entry of fields(message, 1).flatMap((block) => fields(block, 1))) {
      const [name] = fields(entry, 1);
      const [feature] = fields(entry, 2);
      const list = feature && fields(feature, 1)[0];
      if (name) features.set(Buffer.from(name).toString(), list && fields(list, 1)[0]);
    }
    return features;
  } catch {
    return undefined;
  }
}

/** All values of a length-delimited field. @throws RangeError and others for bytes that are no message */
function fields(message: Uint8Array, number: number): Uint8Array[] {
  const reader = new BinaryReader(message);
  const values: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === number && type === WireType.LengthDelimited) values.push(reader.bytes());
    else reader.skip(type, field);
  }
  return values;
}
