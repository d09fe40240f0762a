// yargs lays out its help with this.
export { widthOf as default } from "../../src/ui/width.ts";
