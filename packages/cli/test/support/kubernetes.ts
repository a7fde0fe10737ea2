/** The manifests of deploy/kubernetes as they lie there. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const kubernetesFolder = fileURLToPath(new URL('../../../../deploy/kubernetes/', import.meta.url));

export interface Resource {
  file: string;
  kind: string;
  document: ReturnType<typeof parseAllDocuments>[number];
}

/** All but the kustomization, which is no resource of a cluster. @throws what is not YAML */
export function kubernetesResources(): Resource[] {
  const files = readdirSync(kubernetesFolder).filter((name) => /^(?!kustomization).*\.yaml$/.test(name));
  return files.flatMap((file) =>
    [...parseAllDocuments(readFileSync(`${kubernetesFolder}${file}`, 'utf8'))].map((document) => {
      if (document.errors[0]) throw new Error(`${file}: ${document.errors[0].message}`);
      return { file, kind: String(document.get('kind')), document };
    }),
  );
}

/** The one resource of a kind and name. */
export function resource(kind: string, name: string): Resource {
  const found = kubernetesResources().find(
    (each) => each.kind === kind && each.document.getIn(['metadata', 'name']) === name,
  );
  if (!found) throw new Error(`no ${kind} ${name} in ${kubernetesFolder}`);
  return found;
}
