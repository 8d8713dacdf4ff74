package build

import (
	"github.com/gotrace/gotrace/codegen/internal/ir"
	"github.com/gotrace/gotrace/codegen/layout"
	"github.com/gotrace/gotrace/lang/typed"
	"github.com/gotrace/gotrace/lang/types"
)

// tseries puts x in the cell of the current interval. A cell that held an older
// interval starts anew.
func (f *fn) tseries(a *types.Agg, p, x *ir.Value) {
	op := f.b.Value
	now := f.wallClock()
	epoch := op(ir.OpUDiv, now, f.num(a.Interval))
	n := int64(max(1, a.Buckets))
	i := op(ir.OpUMod, epoch, f.num(n))
	f.b.Store(p, layout.TSeriesLatest, epoch, 8)
	f.when(op(ir.OpULt, i, f.num(n)), 1, func() {
		cell := op(ir.OpAdd, p, op(ir.OpMul, i, f.num(layout.TSeriesCell)))
		f.cell(a, cell, epoch, now, x)
	}, nil)
}

// cell adds x to the cell at TSeriesCells behind p.
func (f *fn) cell(a *types.Agg, p, epoch, now, x *ir.Value) {
	const at = layout.TSeriesCells
	field := func(off int64) *ir.Value { return f.b.Load(ir.I64, p, at+off, 8) }
	set := func(off int64, v *ir.Value) { f.b.Store(p, at+off, v, 8) }
	first := func() {
		set(layout.CellEpoch, epoch)
		set(layout.CellValue, x)
		set(layout.CellCount, f.num(1))
	}
	if a.Inner == types.Count { // the last value, with its stamp
		set(layout.CellEpoch, epoch)
		set(layout.CellValue, x)
		set(layout.CellCount, now)
		return
	}
	f.when(f.b.Value(ir.OpEq, field(layout.CellEpoch), epoch), 1, func() {
		value := field(layout.CellValue)
		switch a.Inner {
		case types.Min, types.Max:
			op := typed.Lt
			if a.Inner == types.Max {
				op = typed.Gt
			}
			f.when(f.order(op, a.Signed, x, value), 0, func() { set(layout.CellValue, x) }, nil)
		default:
			set(layout.CellValue, f.b.Value(ir.OpAdd, value, x))
		}
		set(layout.CellCount, f.add(field(layout.CellCount), 1))
	}, first)
}
