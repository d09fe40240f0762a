// A plugin as Higress' own are made: Go, the SDK of higress-group, ABI 0.2.100. It takes {"provider": "NAME"} and nothing
// else, and says what it does not like in the SDK's own way.
package main

import (
	"encoding/json"
	"fmt"

	"github.com/higress-group/proxy-wasm-go-sdk/proxywasm"
	"github.com/higress-group/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

func init() {
	proxywasm.SetVMContext(&vm{})
}

type vm struct{ types.DefaultVMContext }

func (*vm) NewPluginContext(uint32) types.PluginContext { return &plugin{} }

type plugin struct {
	types.DefaultPluginContext
	config config
}

type config struct {
	Provider string `json:"provider"`
}

func (p *plugin) OnPluginStart(int) types.OnPluginStartStatus {
	bytes, err := proxywasm.GetPluginConfiguration()
	if err == nil {
		err = json.Unmarshal(bytes, &p.config)
	}
	if err == nil && p.config.Provider == "" {
		err = fmt.Errorf("provider is missing")
	}
	if err != nil {
		proxywasm.LogErrorf("configuration refused: %v", err)
		return types.OnPluginStartStatusFailed
	}
	proxywasm.LogInfof("started with provider %s", p.config.Provider)
	return types.OnPluginStartStatusOK
}

func (p *plugin) NewHttpContext(uint32) types.HttpContext { return &types.DefaultHttpContext{} }
