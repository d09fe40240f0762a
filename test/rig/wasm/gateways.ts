import type { GatewayGenerations } from "../../../src/model/gateway.ts";

const wasi = [
  ..."fd_write fd_read fd_seek fd_close fd_fdstat_get environ_get environ_sizes_get args_get args_sizes_get".split(" "),
  ..."clock_time_get random_get proc_exit path_open fd_prestat_get fd_prestat_dir_name".split(" "),
];
const proxy = [
  ..."log get_status set_property get_property send_local_response get_shared_data set_shared_data".split(" "),
  ..."register_shared_queue resolve_shared_queue dequeue_shared_queue enqueue_shared_queue".split(" "),
  ..."get_header_map_value add_header_map_value replace_header_map_value remove_header_map_value".split(" "),
  ..."get_header_map_pairs set_header_map_pairs get_header_map_size get_buffer_status get_buffer_bytes".split(" "),
  ..."set_buffer_bytes http_call grpc_call grpc_stream grpc_close grpc_cancel grpc_send define_metric".split(" "),
  ..."set_tick_period_milliseconds get_current_time_nanoseconds increment_metric record_metric get_metric".split(" "),
  ..."set_effective_context done call_foreign_function redis_init redis_call".split(" "),
];
const abis = ["0_1_0", "0_2_0", "0_2_1", "0_2_100"];

/** Release 2.0.0 cannot run what Go 1.24 makes, 2.2.4 can; 9.9.9 is a release that nobody has looked at. */
export const gatewayTable: GatewayGenerations = {
  apiVersion: "higress-airgap/v1",
  kind: "GatewayGenerations",
  env: ["pthread_equal", "emscripten_notify_memory_growth"],
  abiCalls: {
    "0_1_0": ["get_configuration", "continue_request", "continue_response", "clear_route_cache"],
    "0_2_0": ["continue_stream", "close_stream"],
    "0_2_1": ["continue_stream", "close_stream", "get_log_level"],
    "0_2_100": ["continue_stream", "close_stream", "get_log_level"],
  },
  callTypes: { proxy_log: "i32 i32 i32 -> i32" },
  callbackTypes: { proxy_on_configure: "i32 i32 -> i32" },
  oldCallbackTypes: {},
  earlyCalls: [
    ..."proxy_log fd_write args_get args_sizes_get environ_get environ_sizes_get fd_prestat_get clock_time_get".split(
      " ",
    ),
    ..."fd_prestat_dir_name random_get fd_fdstat_get fd_fdstat_set_flags poll_oneoff proc_exit".split(" "),
  ],
  generations: {
    old: { abis, proxy, wasi },
    new: {
      abis,
      proxy: [...proxy, "get_upstream_hosts", "set_upstream_override_host", "inject_encoded_data_to_filter_chain"],
      wasi: [
        ...wasi,
        "fd_fdstat_set_flags",
        "sched_yield",
        "poll_oneoff",
        "fd_filestat_get",
        "path_filestat_get",
        "fd_readdir",
        "fd_pread",
        "fd_pwrite",
      ],
    },
  },
  releases: [
    { versions: "2.0.0", generation: "old" },
    { versions: "2.2.4", generation: "new" },
  ],
};
