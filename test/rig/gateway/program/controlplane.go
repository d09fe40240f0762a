package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	composite "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/composite/v3"
	router "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	httpwasm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	wasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/wasm/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	xds "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// controlPlane stands in for the controller and pilot: it follows the WasmPlugins of a namespace and sends what those
// two would send for them: one listener with a filter each, and the filters' configurations by extension discovery.
func controlPlane() error {
	flags := flag.NewFlagSet("control-plane", flag.ExitOnError)
	source := clusterFlags(flags)
	socket := flags.String("socket", "", "Unix socket that the agent is served on")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	from, err := source()
	if err != nil {
		return err
	}
	snapshots := cache.NewSnapshotCache(false, everyGateway{}, nil)
	go follow(from, func(plugins []wasmPlugin, version string) error {
		return publish(from, snapshots, plugins, version)
	})
	listen, err := net.Listen("unix", *socket)
	if err != nil {
		return err
	}
	serving := grpc.NewServer()
	discovery.RegisterAggregatedDiscoveryServiceServer(serving, newServer(snapshots))
	fmt.Println("ready")
	return serving.Serve(listen)
}

type everyGateway struct{}

func (everyGateway) ID(*core.Node) string { return "gateway" }

func newServer(snapshots cache.SnapshotCache) server.Server {
	refused := func(kind string, detail fmt.Stringer) { fmt.Printf("refused %s: %s\n", kind, detail) }
	return server.NewServer(context.Background(), snapshots, server.CallbackFuncs{
		StreamRequestFunc: func(_ int64, r *discovery.DiscoveryRequest) error {
			if r.ErrorDetail != nil {
				refused(r.TypeUrl, r.ErrorDetail)
			}
			return nil
		},
		StreamDeltaRequestFunc: func(_ int64, r *discovery.DeltaDiscoveryRequest) error {
			if r.ErrorDetail != nil {
				refused(r.TypeUrl, r.ErrorDetail)
			}
			return nil
		},
	})
}

func publish(from cluster, snapshots cache.SnapshotCache, plugins []wasmPlugin, version string) error {
	var filters []*hcm.HttpFilter
	var configs []types.Resource
	for _, plugin := range plugins {
		configuration, active := plugin.configuration()
		if !active {
			continue
		}
		config, err := extensionConfig(from, plugin, configuration)
		if err != nil {
			return err
		}
		filters, configs = append(filters, httpFilter(plugin)), append(configs, config)
	}
	snapshot, err := cache.NewSnapshot(version, map[xds.Type][]types.Resource{
		xds.ClusterType: {}, xds.ListenerType: {httpListener(filters)}, xds.ExtensionConfigType: configs,
	})
	if err != nil {
		return err
	}
	return snapshots.SetSnapshot(context.Background(), "gateway", snapshot)
}

// The misspelling is Istio's, and what Envoy shows.
const namePrefix = "extenstions.istio.io/wasmplugin/"

func httpFilter(plugin wasmPlugin) *hcm.HttpFilter {
	source := &core.ExtensionConfigSource{
		ConfigSource: &core.ConfigSource{
			ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
			ResourceApiVersion:    core.ApiVersion_V3,
			// Istio lets a listener wait for its plugins for ever.
			InitialFetchTimeout: &durationpb.Duration{},
		},
		TypeUrls: []string{"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"},
	}
	if plugin.Spec.FailStrategy == "FAIL_OPEN" {
		// What Higress adds to Istio: until the plugin is there, a filter that does nothing.
		source.DefaultConfig = pack(&composite.Composite{})
		source.TypeUrls = append(source.TypeUrls, "type.googleapis.com/envoy.extensions.filters.http.composite.v3.Composite")
	}
	return &hcm.HttpFilter{Name: namePrefix + plugin.fullName(), ConfigType: &hcm.HttpFilter_ConfigDiscovery{ConfigDiscovery: source}}
}

func extensionConfig(from cluster, plugin wasmPlugin, configuration map[string]any) (*core.TypedExtensionConfig, error) {
	spec := plugin.Spec
	environment := map[string]string{"ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION": plugin.Metadata.ResourceVersion}
	if spec.ImagePullSecret != "" {
		environment["ISTIO_META_WASM_IMAGE_PULL_SECRET"] = from.pullSecret(spec.ImagePullSecret)
	}
	if spec.ImagePullPolicy != "" {
		environment["ISTIO_META_WASM_IMAGE_PULL_POLICY"] = spec.ImagePullPolicy
	}
	// Pilot's word for no checksum.
	checksum := spec.Sha256
	if checksum == "" {
		checksum = "nil"
	}
	policy := wasmv3.FailurePolicy_FAIL_CLOSED
	if spec.FailStrategy == "FAIL_OPEN" {
		policy = wasmv3.FailurePolicy_FAIL_OPEN
	}
	// Pilot hands over nothing where there is no field, and not an empty object.
	handed := &anypb.Any{}
	if len(configuration) > 0 {
		text, err := json.Marshal(configuration)
		if err != nil {
			return nil, err
		}
		handed = pack(wrapperspb.String(string(text)))
	}
	variables, ofHost := plugin.environment()
	maps.Copy(environment, variables)
	uri := &core.HttpUri{Uri: spec.URL, Timeout: durationpb.New(30 * time.Second), HttpUpstreamType: &core.HttpUri_Cluster{Cluster: "_"}}
	return &core.TypedExtensionConfig{
		Name: namePrefix + plugin.fullName(),
		TypedConfig: pack(&httpwasm.Wasm{Config: &wasmv3.PluginConfig{
			Name:          plugin.fullName(),
			RootId:        spec.PluginName,
			FailurePolicy: policy,
			Configuration: handed,
			Vm: &wasmv3.PluginConfig_VmConfig{VmConfig: &wasmv3.VmConfig{
				Runtime:              "envoy.wasm.runtime.v8",
				EnvironmentVariables: &wasmv3.EnvironmentVariables{KeyValues: environment, HostEnvKeys: ofHost},
				Code:                 &core.AsyncDataSource{Specifier: &core.AsyncDataSource_Remote{Remote: &core.RemoteDataSource{HttpUri: uri, Sha256: checksum}}},
			}},
		}}),
	}, nil
}

// httpListener answers every request itself, so that what a plugin did to it can be seen without a backend.
func httpListener(filters []*hcm.HttpFilter) *listener.Listener {
	answer := &route.Route{
		Match: &route.RouteMatch{PathSpecifier: &route.RouteMatch_Prefix{Prefix: "/"}},
		Action: &route.Route_DirectResponse{DirectResponse: &route.DirectResponseAction{
			Status: 200, Body: &core.DataSource{Specifier: &core.DataSource_InlineString{InlineString: "backend"}},
		}},
	}
	routes := &route.RouteConfiguration{Name: "all", VirtualHosts: []*route.VirtualHost{{Name: "all", Domains: []string{"*"}, Routes: []*route.Route{answer}}}}
	last := &hcm.HttpFilter{Name: "envoy.filters.http.router", ConfigType: &hcm.HttpFilter_TypedConfig{TypedConfig: pack(&router.Router{})}}
	manager := pack(&hcm.HttpConnectionManager{
		StatPrefix:     "outbound_0.0.0.0_80",
		RouteSpecifier: &hcm.HttpConnectionManager_RouteConfig{RouteConfig: routes},
		HttpFilters:    append(filters, last),
	})
	address := &core.SocketAddress{Address: "0.0.0.0", PortSpecifier: &core.SocketAddress_PortValue{PortValue: 80}}
	chain := &listener.FilterChain{Filters: []*listener.Filter{{Name: "http", ConfigType: &listener.Filter_TypedConfig{TypedConfig: manager}}}}
	return &listener.Listener{
		Name: "0.0.0.0_80", FilterChains: []*listener.FilterChain{chain},
		Address: &core.Address{Address: &core.Address_SocketAddress{SocketAddress: address}},
	}
}

// pack cannot fail for a message that was compiled in.
func pack(message proto.Message) *anypb.Any {
	packed, err := anypb.New(message)
	if err != nil {
		panic(err)
	}
	return packed
}
