//! Straight-line programs over vectors: an expression in many columns, evaluated a piece of the rows at a time, so that what
//! lies between stays in a core's cache and all cores work.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::prelude::*;

use crate::field::Fr;
use crate::pool::{on_all_cores, PARALLEL};
use crate::python::{allocate, items, Length};
use crate::vector::Vector;

/// Rows that one core evaluates at a time.
const ROWS: usize = 256;

#[derive(Clone, Copy)]
enum Operator {
    Add,
    Subtract,
    Multiply,
}

/// An operand: element i of the input is values[(i + shift) mod values.len()].
struct Input<'a> {
    values: &'a [Fr],
    shift: usize,
}

/// left and right count the inputs first, then the operations before this one.
struct Operation {
    operator: Operator,
    left: usize,
    right: usize,
}

/// What happens to a piece of rows, by slots of its scratch memory.
enum Step {
    Load { input: usize, slot: usize },
    Compute { operator: Operator, left: usize, right: usize, out: usize },
}

/// The steps, the slots they need, and the slot of the result.
struct Plan {
    steps: Vec<Step>,
    slots: usize,
    result: usize,
}

impl Plan {
    /// Inputs are loaded when they are first used, and a slot is free again after its last use.
    fn new(inputs: usize, operations: &[Operation]) -> Plan {
        let result = inputs + operations.len() - 1;
        let mut last_use = vec![0; result + 1];
        for (k, operation) in operations.iter().enumerate() {
            last_use[operation.left] = k;
            last_use[operation.right] = k;
        }
        last_use[result] = usize::MAX;
        let mut plan = Plan { steps: Vec::new(), slots: 0, result: 0 };
        let mut place: Vec<Option<usize>> = vec![None; result + 1];
        let mut free = Vec::new();
        for (k, operation) in operations.iter().enumerate() {
            let [left, right] = [operation.left, operation.right].map(|operand| {
                place[operand].unwrap_or_else(|| {
                    let slot = plan.slot(&mut free);
                    plan.steps.push(Step::Load { input: operand, slot });
                    place[operand] = Some(slot);
                    slot
                })
            });
            let out = plan.slot(&mut free);
            plan.steps.push(Step::Compute { operator: operation.operator, left, right, out });
            place[inputs + k] = Some(out);
            for operand in [operation.left, operation.right] {
                if last_use[operand] == k {
                    free.extend(place[operand].take());
                }
            }
            if last_use[inputs + k] == 0 {
                // Nobody reads it.
                free.extend(place[inputs + k].take());
            }
        }
        plan.result = place[result].unwrap_or(0);
        plan
    }

    fn slot(&mut self, free: &mut Vec<usize>) -> usize {
        free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        })
    }

    /// The result on the rows from `start` on.
    fn run(&self, inputs: &[Input], start: usize, scratch: &mut [Fr], result: &mut [Fr]) {
        let rows = result.len();
        for step in &self.steps {
            match *step {
                Step::Load { input, slot } => {
                    let Input { values, shift } = inputs[input];
                    let first = (start + shift) % values.len();
                    let elements = values[first..].iter().chain(values.iter().cycle());
                    scratch[slot * ROWS..][..rows].iter_mut().zip(elements).for_each(|(to, &from)| *to = from);
                }
                Step::Compute { operator, left, right, out } => {
                    let [left, right, out] = [left, right, out].map(|slot| slot * ROWS);
                    let mut apply = |f: fn(Fr, Fr) -> Fr| {
                        for i in 0..rows {
                            scratch[out + i] = f(scratch[left + i], scratch[right + i]);
                        }
                    };
                    match operator {
                        Operator::Add => apply(|a, b| a.add(b)),
                        Operator::Subtract => apply(|a, b| a.sub(b)),
                        Operator::Multiply => apply(|a, b| a.mul(b)),
                    }
                }
            }
        }
        result.copy_from_slice(&scratch[self.result * ROWS..][..rows]);
    }
}

/// The last operation's values on all rows. There is an operation; operands are there; no input is empty.
fn evaluate(inputs: &[Input], operations: &[Operation], result: &mut [Fr]) {
    let plan = Plan::new(inputs.len(), operations);
    let scratch = || vec![Fr::ZERO; plan.slots * ROWS];
    if result.len().saturating_mul(operations.len()) < PARALLEL {
        let mut scratch = scratch();
        for (k, rows) in result.chunks_mut(ROWS).enumerate() {
            plan.run(inputs, k * ROWS, &mut scratch, rows);
        }
        return;
    }
    let run = |scratch: &mut Vec<Fr>, (k, rows): (usize, &mut [Fr])| plan.run(inputs, k * ROWS, scratch, rows);
    on_all_cores(|| result.par_chunks_mut(ROWS).enumerate().for_each_init(scratch, run));
}

/// An expression in many vectors on n rows, without vectors between: the result of the last of `operations`, a Vector.
///
/// inputs are pairs (vector, shift): row i reads vector[(i + shift) mod len], so a vector of one element is a constant
/// and a short one repeats; its length divides n (ValueError). operations are triples (operator, left, right): "+", "-"
/// or "*", and two numbers of operands, the inputs first, then the results of the operations before. ValueError unless
/// there is an operation and every operand is there. All cores.
#[pyfunction]
pub fn evaluate_program(
    py: Python<'_>,
    n: Length,
    #[pyo3(from_py_with = items)] inputs: Vec<(Py<Vector>, Length)>,
    #[pyo3(from_py_with = items)] operations: Vec<(String, Length, Length)>,
) -> PyResult<Vector> {
    let n = n.0;
    let operations = parse(inputs.len(), &operations)?;
    let mut read = Vec::with_capacity(inputs.len());
    for (k, (vector, shift)) in inputs.iter().enumerate() {
        let values = vector.get().values.as_slice();
        if values.is_empty() || n % values.len() != 0 {
            let got = values.len();
            return Err(PyValueError::new_err(format!("inputs[{k}] must have a length that divides {n}, got {got}")));
        }
        read.push(Input { values, shift: shift.0 % values.len() });
    }
    let mut values = allocate(n)?;
    values.resize(n, Fr::ZERO);
    py.detach(|| evaluate(&read, &operations, &mut values));
    Ok(values.into())
}

/// The operations of a program with so many inputs, every operand there.
fn parse(inputs: usize, operations: &[(String, Length, Length)]) -> PyResult<Vec<Operation>> {
    if operations.is_empty() {
        return Err(PyValueError::new_err("expected at least one operation"));
    }
    let read = |(k, (operator, left, right)): (usize, &(String, Length, Length))| {
        let operator = match operator.as_str() {
            "+" => Operator::Add,
            "-" => Operator::Subtract,
            "*" => Operator::Multiply,
            _ => return Err(PyValueError::new_err(format!("operations[{k}] must be \"+\", \"-\" or \"*\""))),
        };
        let known = inputs + k;
        if left.0.max(right.0) >= known {
            return Err(PyValueError::new_err(format!("operations[{k}] has an operand outside [0, {known})")));
        }
        Ok(Operation { operator, left: left.0, right: right.0 })
    };
    operations.iter().enumerate().map(read).collect()
}
