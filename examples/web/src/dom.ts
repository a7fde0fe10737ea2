/** Finding the page's own elements, with their types. */

/** The element that matches; the page cannot work without it. */
export function find<Type extends Element>(
  selector: string,
  type: new () => Type,
  within: ParentNode = document,
): Type {
  const element = within.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`internal: no ${type.name} at ${selector}`);
  return element;
}
