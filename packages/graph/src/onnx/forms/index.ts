/** From an operator's name to what mends a node of another opset, 7 to 22; operators not in it have stayed the same. */
import { composedForms } from './composed.js';
import type { Form } from './form.js';
import { parameterForms } from './parameters.js';
import { resizeForms } from './resize.js';

export const forms: ReadonlyMap<string, Form> = new Map(
  Object.entries({ ...parameterForms, ...resizeForms, ...composedForms }),
);
export type { FileAttribute, FileAttributeTypes, FileNode, Form } from './form.js';
