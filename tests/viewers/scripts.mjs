/* Runs the pages' scripts without a browser. */

import { readFileSync } from "node:fs";
import vm from "node:vm";

const folder = new URL("../../keras_image_saver/viewers/", import.meta.url);

/* The text of a page's part. */
export const read = (name) => readFileSync(new URL(name, folder), "utf-8");

/* What some scripts define, by the names asked for. Their context is empty, so that to use a document, a
   window or a timer is a ReferenceError. */
export function load(scripts, names) {
  const texts = scripts.map(read);
  return vm.runInNewContext(`"use strict"; ${texts.join("\n")}\n({ ${names.join(", ")} })`);
}
