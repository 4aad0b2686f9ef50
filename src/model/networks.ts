import { IllegalArgumentError, nearest } from "../errors";
import type { Network } from "./layers";
import { MOBILENET_V2 } from "./mobilenet-v2";
import { VGG16 } from "./vgg16";

/** Every network there is. Another one is a file of layers and a line here. */
export const NETWORKS: readonly Network[] = [MOBILENET_V2, VGG16];

/** The network of that name. @throws IllegalArgumentError that names the ones there are */
export function networkByName(name: string): Network {
  const found = NETWORKS.find((network) => network.name === name);
  if (found) return found;
  const names = NETWORKS.map((network) => network.name);
  const similar = nearest(name, names)[0];
  throw new IllegalArgumentError(`There is no network ${JSON.stringify(name)}.`, {
    remedy: similar ? `Did you mean ${similar}?` : `Use one of ${names.join(", ")}.`,
  });
}
