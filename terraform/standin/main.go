// A provider that knows the schema of another one and nothing else. Where the real provider is out of reach, Terraform
// can still hold each argument, block and type of our code against what that provider takes, and run tests on mocks.
//
// The schema is the file schema.json beside the program; schema.py writes it.
package main

import (
	"context"
	"encoding/json"
	"log"
	"math/big"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type attribute struct {
	Type     any     `json:"type"`
	Required bool    `json:"required"`
	Computed bool    `json:"computed"`
	Nested   *nested `json:"nested"`
}

type body struct {
	Attributes map[string]attribute `json:"attributes"`
	Blocks     map[string]nested    `json:"blocks"`
}

type nested struct {
	Nesting  string `json:"nesting"`
	Max      int64  `json:"max"`
	Required bool   `json:"required"`
	Block    body   `json:"block"`
}

type schemas struct {
	Provider  body            `json:"provider"`
	Resources map[string]body `json:"resources"`
	Data      map[string]body `json:"data"`
	Ephemeral map[string]body `json:"ephemeral"`
}

func typeOf(written any) tftypes.Type {
	if parts, ok := written.([]any); ok {
		inner := typeOf(parts[1])
		switch parts[0] {
		case "set":
			return tftypes.Set{ElementType: inner}
		case "map":
			return tftypes.Map{ElementType: inner}
		}
		return tftypes.List{ElementType: inner}
	}
	switch written {
	case "string":
		return tftypes.String
	case "number":
		return tftypes.Number
	case "bool":
		return tftypes.Bool
	}
	return tftypes.DynamicPseudoType
}

func (b body) attributes() []*tfprotov6.SchemaAttribute {
	var all []*tfprotov6.SchemaAttribute
	for name, a := range b.Attributes {
		written := &tfprotov6.SchemaAttribute{
			Name: name, Required: a.Required, Optional: !a.Required, Computed: a.Computed && !a.Required,
			// By their names alone: `data_wo` of a secret, `set_wo` of a release.
			WriteOnly: len(name) > 3 && name[len(name)-3:] == "_wo",
		}
		if a.Nested == nil {
			written.Type = typeOf(a.Type)
		} else {
			modes := map[string]tfprotov6.SchemaObjectNestingMode{
				"single": tfprotov6.SchemaObjectNestingModeSingle,
				"list":   tfprotov6.SchemaObjectNestingModeList,
				"set":    tfprotov6.SchemaObjectNestingModeSet,
			}
			written.NestedType = &tfprotov6.SchemaObject{
				Attributes: a.Nested.Block.attributes(), Nesting: modes[a.Nested.Nesting],
			}
		}
		all = append(all, written)
	}
	return all
}

func (b body) block() *tfprotov6.SchemaBlock {
	modes := map[string]tfprotov6.SchemaNestedBlockNestingMode{
		"single": tfprotov6.SchemaNestedBlockNestingModeSingle,
		"list":   tfprotov6.SchemaNestedBlockNestingModeList,
		"set":    tfprotov6.SchemaNestedBlockNestingModeSet,
	}
	block := &tfprotov6.SchemaBlock{Attributes: b.attributes()}
	for name, n := range b.Blocks {
		written := &tfprotov6.SchemaNestedBlock{
			TypeName: name, Block: n.Block.block(), Nesting: modes[n.Nesting], MaxItems: n.Max,
		}
		if n.Required && n.Nesting != "single" {
			written.MinItems = 1
		}
		block.BlockTypes = append(block.BlockTypes, written)
	}
	return block
}

func (b body) schema() *tfprotov6.Schema {
	return &tfprotov6.Schema{Block: b.block()}
}

func all(bodies map[string]body) map[string]*tfprotov6.Schema {
	written := map[string]*tfprotov6.Schema{}
	for name, b := range bodies {
		written[name] = b.schema()
	}
	return written
}

// answer puts something in the place of what the provider alone knows: unknown while planning, a value once applied.
func (b body) answer(given *tfprotov6.DynamicValue, planning bool) (*tfprotov6.DynamicValue, error) {
	kind := b.schema().ValueType()
	value, err := given.Unmarshal(kind)
	if err != nil || value.IsNull() {
		return given, err
	}
	parts := map[string]tftypes.Value{}
	if err := value.As(&parts); err != nil {
		return nil, err
	}
	for name, a := range b.Attributes {
		part := parts[name]
		switch {
		case planning && a.Computed && part.IsNull():
			parts[name] = tftypes.NewValue(part.Type(), tftypes.UnknownValue)
		case !planning && !part.IsKnown():
			parts[name] = made(part.Type())
		}
	}
	answer, err := tfprotov6.NewDynamicValue(kind, tftypes.NewValue(kind, parts))
	return &answer, err
}

func made(kind tftypes.Type) tftypes.Value {
	switch {
	case kind.Is(tftypes.String):
		return tftypes.NewValue(kind, "1001")
	case kind.Is(tftypes.Number):
		return tftypes.NewValue(kind, big.NewFloat(1001))
	case kind.Is(tftypes.Bool):
		return tftypes.NewValue(kind, false)
	}
	return tftypes.NewValue(kind, nil)
}

// What is not here is never asked for.
type provider struct {
	tfprotov6.ProviderServer
	schemas schemas
}

func (p provider) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &tfprotov6.GetProviderSchemaResponse{
		Provider:                 p.schemas.Provider.schema(),
		ResourceSchemas:          all(p.schemas.Resources),
		DataSourceSchemas:        all(p.schemas.Data),
		EphemeralResourceSchemas: all(p.schemas.Ephemeral),
	}, nil
}

func (p provider) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (p provider) ValidateProviderConfig(_ context.Context, asked *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: asked.Config}, nil
}

func (p provider) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (p provider) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (p provider) ValidateEphemeralResourceConfig(context.Context, *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov6.ValidateEphemeralResourceConfigResponse{}, nil
}

func (p provider) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (p provider) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func (p provider) UpgradeResourceState(_ context.Context, asked *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	kind := p.schemas.Resources[asked.TypeName].schema().ValueType()
	value, err := asked.RawState.Unmarshal(kind)
	if err != nil {
		return nil, err
	}
	state, err := tfprotov6.NewDynamicValue(kind, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (p provider) ReadResource(_ context.Context, asked *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{NewState: asked.CurrentState}, nil
}

func (p provider) PlanResourceChange(_ context.Context, asked *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	planned, err := p.schemas.Resources[asked.TypeName].answer(asked.ProposedNewState, true)
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: planned}, err
}

func (p provider) ApplyResourceChange(_ context.Context, asked *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	state, err := p.schemas.Resources[asked.TypeName].answer(asked.PlannedState, false)
	return &tfprotov6.ApplyResourceChangeResponse{NewState: state}, err
}

func (p provider) ReadDataSource(_ context.Context, asked *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	schema := p.schemas.Data[asked.TypeName]
	state, err := schema.answer(asked.Config, true)
	if err == nil {
		state, err = schema.answer(state, false)
	}
	return &tfprotov6.ReadDataSourceResponse{State: state}, err
}

func main() {
	program, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(program), "schema.json"))
	if err != nil {
		log.Fatal(err)
	}
	var known schemas
	if err := json.Unmarshal(text, &known); err != nil {
		log.Fatal(err)
	}
	serve := func() tfprotov6.ProviderServer { return provider{schemas: known} }
	if err := tf6server.Serve("registry.terraform.io/bookwatch/standin", serve); err != nil {
		log.Fatal(err)
	}
}
