package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// controller stands in for the controller of Higress where pilot is the real one: it follows the WasmPlugins of a
// namespace and hands pilot what the controller makes of them, as a file in a folder that pilot watches. The controller
// hands it over by MCP; from there on pilot does the same.
func controller() error {
	flags := flag.NewFlagSet("controller", flag.ExitOnError)
	source := clusterFlags(flags)
	folder := flags.String("folder", "", "that pilot watches")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	from, err := source()
	if err != nil {
		return err
	}
	publish := func(plugins []wasmPlugin, _ string) error {
		return replaceFile(filepath.Join(*folder, "plugins.yaml"), append(door(from.namespace), extensions(plugins)...))
	}
	if err := publish(nil, ""); err != nil {
		return err
	}
	fmt.Println("ready")
	follow(from, publish)
	return nil
}

// door is what our own control plane sends as a listener: port 80 answers every request itself.
func door(namespace string) []any {
	object := func(kind string, spec map[string]any) map[string]any {
		metadata := map[string]any{"name": "door", "namespace": namespace}
		return map[string]any{"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
	}
	servers := []any{map[string]any{"port": map[string]any{"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": []string{"*"}}}
	answer := map[string]any{"directResponse": map[string]any{"status": 200, "body": map[string]any{"string": "backend"}}}
	routes := map[string]any{"hosts": []string{"*"}, "gateways": []string{namespace + "/door"}, "http": []any{answer}}
	return []any{object("Gateway", map[string]any{"servers": servers}), object("VirtualService", routes)}
}

// extensions are of the kind that this pilot makes of WasmPlugins. It does so only for those of the API server, and
// appends to their names; for those that come another way, as Higress', there is no such step.
func extensions(plugins []wasmPlugin) []any {
	var objects []any
	for _, plugin := range plugins {
		configuration, active := plugin.configuration()
		if !active {
			continue
		}
		wasm := map[string]any{"url": plugin.Spec.URL, "pluginConfig": configuration}
		for key, value := range map[string]string{
			"sha256":          plugin.Spec.Sha256,
			"failStrategy":    plugin.Spec.FailStrategy,
			"imagePullPolicy": strings.TrimPrefix(plugin.Spec.ImagePullPolicy, "UNSPECIFIED_POLICY"),
			"imagePullSecret": plugin.Spec.ImagePullSecret,
			"pluginName":      plugin.Spec.PluginName,
		} {
			if value != "" {
				wasm[key] = value
			}
		}
		if plugin.Spec.VMConfig != nil {
			wasm["vmConfig"] = plugin.Spec.VMConfig
		}
		spec := map[string]any{"wasm": wasm}
		if phase := strings.TrimPrefix(plugin.Spec.Phase, "UNSPECIFIED_PHASE"); phase != "" {
			spec["phase"] = phase
		}
		if plugin.Spec.Priority != nil {
			spec["priority"] = *plugin.Spec.Priority
		}
		metadata := map[string]any{
			"name":            plugin.Metadata.Name,
			"namespace":       plugin.Metadata.Namespace,
			"resourceVersion": plugin.Metadata.ResourceVersion,
			// The controller hands over no age, so that what is of one priority goes by name.
			"creationTimestamp": "2026-01-01T00:00:00Z",
		}
		objects = append(objects, map[string]any{
			"apiVersion": "extensions.istio.io/v1alpha1", "kind": "TrafficExtension", "metadata": metadata, "spec": spec,
		})
	}
	return objects
}

// replaceFile writes documents of JSON, which is YAML, and never shows half of them.
func replaceFile(path string, documents []any) error {
	var text strings.Builder
	for _, document := range documents {
		line, err := json.Marshal(document)
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "---\n%s\n", line)
	}
	if err := os.WriteFile(path+".new", []byte(text.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
