package main

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The API server as the controller of Higress reads it.
type cluster struct {
	server, token, namespace string
	client                   *http.Client
}

func openCluster(server, caFile, token, namespace string) (cluster, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return cluster{}, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return cluster{server, token, namespace, &http.Client{Transport: transport}}, nil
}

// clusterFlags answers what opens the cluster once the flags are read; the token is in the environment.
func clusterFlags(flags *flag.FlagSet) func() (cluster, error) {
	server := flags.String("server", "", "URL of the API server")
	ca := flags.String("ca", "", "its certificate authority")
	namespace := flags.String("namespace", "higress-system", "whose WasmPlugins count")
	return func() (cluster, error) { return openCluster(*server, *ca, os.Getenv("KUBE_TOKEN"), *namespace) }
}

// follow publishes the plugins, numbered, whenever one of them was written.
func follow(from cluster, publish func(plugins []wasmPlugin, version string) error) {
	for number := 1; ; number++ {
		plugins, version, err := from.list()
		if err == nil {
			err = publish(plugins, strconv.Itoa(number))
		}
		if err != nil {
			// Before the install there is no such kind: an empty gateway then, as an empty cluster has it.
			_ = publish(nil, strconv.Itoa(number))
			time.Sleep(500 * time.Millisecond)
			continue
		}
		if err := from.wait(version); err != nil {
			fmt.Println("watch:", err)
			time.Sleep(500 * time.Millisecond)
		}
	}
}

func (c cluster) get(path string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, c.server+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := c.client.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	return response, err
}

func (c cluster) read(path string, into any) error {
	response, err := c.get(path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

type wasmPlugin struct {
	Metadata struct {
		Name            string `json:"name"`
		Namespace       string `json:"namespace"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Spec struct {
		URL                  string           `json:"url"`
		Sha256               string           `json:"sha256"`
		Phase                string           `json:"phase"`
		Priority             *int             `json:"priority"`
		FailStrategy         string           `json:"failStrategy"`
		ImagePullPolicy      string           `json:"imagePullPolicy"`
		ImagePullSecret      string           `json:"imagePullSecret"`
		PluginName           string           `json:"pluginName"`
		VMConfig             map[string]any   `json:"vmConfig"`
		PluginConfig         map[string]any   `json:"pluginConfig"`
		DefaultConfig        map[string]any   `json:"defaultConfig"`
		DefaultConfigDisable bool             `json:"defaultConfigDisable"`
		MatchRules           []map[string]any `json:"matchRules"`
	} `json:"spec"`
}

// environment answers the variables of the plugin's VM: values, and names of those that the gateway's own are taken of.
func (p wasmPlugin) environment() (values map[string]string, ofHost []string) {
	values = map[string]string{}
	list, _ := p.Spec.VMConfig["env"].([]any)
	for _, each := range list {
		entry, _ := each.(map[string]any)
		name, _ := entry["name"].(string)
		if entry["valueFrom"] == "HOST" {
			ofHost = append(ofHost, name)
			continue
		}
		values[name], _ = entry["value"].(string)
	}
	return values, ofHost
}

// priority answers what pilot sorts by: one that names none comes last.
func (p wasmPlugin) priority() int {
	if p.Spec.Priority == nil {
		return math.MinInt32
	}
	return *p.Spec.Priority
}

func (p wasmPlugin) fullName() string { return p.Metadata.Namespace + "." + p.Metadata.Name }

const resource = "/apis/extensions.higress.io/v1alpha1/namespaces/%s/wasmplugins"

// list answers the plugins that the gateway is to have, in the order of its filter chain.
func (c cluster) list() (plugins []wasmPlugin, version string, err error) {
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []wasmPlugin `json:"items"`
	}
	if err := c.read(fmt.Sprintf(resource, c.namespace), &list); err != nil {
		return nil, "", err
	}
	phases := []string{"AUTHN", "AUTHZ", "STATS", ""}
	phase := func(p wasmPlugin) int {
		return slices.Index(phases, strings.TrimSuffix(p.Spec.Phase, "UNSPECIFIED_PHASE"))
	}
	slices.SortStableFunc(list.Items, func(a, b wasmPlugin) int {
		return cmp.Or(phase(a)-phase(b), cmp.Compare(b.priority(), a.priority()), strings.Compare(a.Metadata.Name, b.Metadata.Name))
	})
	return list.Items, list.Metadata.ResourceVersion, nil
}

// wait returns when a plugin was written after `version`, or when the server ends the watch.
func (c cluster) wait(version string) error {
	response, err := c.get(fmt.Sprintf(resource, c.namespace) + "?watch=1&timeoutSeconds=60&resourceVersion=" + version)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = bufio.NewReader(response.Body).ReadString('\n')
	if err == io.EOF {
		return nil
	}
	return err
}

// pullSecret answers what pilot puts into the plugin's environment; nothing when there is no such secret.
func (c cluster) pullSecret(name string) string {
	var secret struct {
		Type string            `json:"type"`
		Data map[string]string `json:"data"`
	}
	err := c.read(fmt.Sprintf("/api/v1/namespaces/%s/secrets/%s", c.namespace, name), &secret)
	if err == nil && secret.Type != "kubernetes.io/dockerconfigjson" {
		err = fmt.Errorf("type of secret %s is not kubernetes.io/dockerconfigjson", name)
	}
	if err != nil {
		fmt.Printf("Failed to fetch docker credential %s: %v\n", name, err)
		return ""
	}
	content, _ := base64.StdEncoding.DecodeString(secret.Data[".dockerconfigjson"])
	return string(content)
}

// configuration answers what the controller hands to the plugin, and whether it hands the plugin over at all.
func (p wasmPlugin) configuration() (map[string]any, bool) {
	if p.Spec.PluginConfig != nil {
		return p.Spec.PluginConfig, true
	}
	config, active := map[string]any{}, false
	if !p.Spec.DefaultConfigDisable {
		active = true
		for key, value := range p.Spec.DefaultConfig {
			config[key] = value
		}
	}
	rules := []map[string]any{}
	for _, rule := range p.Spec.MatchRules {
		if rule["configDisable"] == true {
			continue
		}
		made, matches := map[string]any{}, false
		if own, ok := rule["config"].(map[string]any); ok {
			for key, value := range own {
				made[key] = value
			}
		}
		for from, to := range map[string]string{"ingress": "_match_route_", "domain": "_match_domain_", "service": "_match_service_"} {
			if list, ok := rule[from].([]any); ok && len(list) > 0 {
				made[to], matches = list, true
			}
		}
		if !matches {
			fmt.Printf("invalid match rule has no match condition, plugin: %s\n", p.fullName())
			return nil, false
		}
		rules = append(rules, made)
	}
	if len(rules) > 0 {
		config["_rules_"], active = rules, true
	}
	return config, active
}
