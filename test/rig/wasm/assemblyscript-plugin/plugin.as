// In AssemblyScript, which only looks like TypeScript: a plugin as its SDK for Proxy-Wasm wants it.
export * from "@solo-io/proxy-runtime/proxy";
import {
  Context,
  FilterHeadersStatusValues,
  RootContext,
  registerRootContext,
  stream_context,
} from "@solo-io/proxy-runtime";

class Root extends RootContext {
  onConfigure(size: u32): bool {
    super.onConfigure(size);
    // By its length, since this SDK cannot read the text.
    if (size > 40) throw new Error("a configuration that is too long");
    return size > 2;
  }

  createContext(id: u32): Context {
    return new Stream(id, this);
  }
}

class Stream extends Context {
  onRequestHeaders(_headers: u32, _endOfStream: bool): FilterHeadersStatusValues {
    stream_context.headers.request.add("x-plugin", "assemblyscript");
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((id: u32) => new Root(id), "");
