package istio

import (
	"encoding/binary"
	"net"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// The port and the address that Istio's sidecars have everywhere: inbound connections are redirected there, and those from
// there to the application are not.
const inboundPort = 15006

var fromSidecar = net.IPv4(127, 0, 0, 6).To4()

// redirectInbound does what istio-init does in a pod with a sidecar, for the connections to one port.
func redirectInbound(t *testing.T, p pod) {
	t.Helper()
	rules := &nftables.Conn{}
	table := rules.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "istio"})
	chain := rules.AddChain(&nftables.Chain{
		Name: "output", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityNATDest,
	})
	equals := func(op expr.CmpOp, base expr.PayloadBase, offset uint32, data []byte) []expr.Any {
		return []expr.Any{
			&expr.Payload{DestRegister: 1, Base: base, Offset: offset, Len: uint32(len(data))},
			&expr.Cmp{Op: op, Register: 1, Data: data},
		}
	}
	port := func(number int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(number)) }
	const (
		source, destination = 12, 16 // in the IP header
		destinationPort     = 2      // in the TCP header
	)
	rule := []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
	}
	rule = append(rule, equals(expr.CmpOpNeq, expr.PayloadBaseNetworkHeader, source, fromSidecar)...)
	rule = append(rule, equals(expr.CmpOpEq, expr.PayloadBaseNetworkHeader, destination, net.ParseIP(p.address).To4())...)
	rule = append(rule, equals(expr.CmpOpEq, expr.PayloadBaseTransportHeader, destinationPort, port(p.port))...)
	rule = append(rule, &expr.Immediate{Register: 1, Data: port(inboundPort)}, &expr.Redir{RegisterProtoMin: 1})
	rules.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: rule})
	if err := rules.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		rules.DelTable(table)
		if err := rules.Flush(); err != nil {
			t.Error(err)
		}
	})
}
