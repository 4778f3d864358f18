//! Who belongs to whom: the one-to-one pairing with the largest total similarity.
//!
//! Kuhn–Munkres with potentials (shortest augmenting paths, Jonker and Volgenant 1987), on each connected part of
//! the sparse graph of possible pairs by itself: most parts are one pair.

/// A possible pair: row, column, similarity (more than 0).
pub(crate) type Pair = (usize, usize, f32);

/// The pairs, a subset of `pairs`, that use each row and column at most once and have the largest sum of
/// similarities. Sorted by row. The same input gives the same answer.
pub(crate) fn best_pairs(rows: usize, columns: usize, pairs: &[Pair]) -> Vec<(usize, usize)> {
    let mut parts = Parts::new(rows + columns);
    for &(row, column, _) in pairs {
        parts.join(row, rows + column);
    }
    let mut by_part: Vec<(usize, Pair)> = pairs.iter().map(|p| (parts.root(p.0), *p)).collect();
    by_part.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.0.cmp(&b.1.0)).then(a.1.1.cmp(&b.1.1)));
    let mut chosen = Vec::new();
    for part in by_part.chunk_by(|a, b| a.0 == b.0) {
        if let [(_, (row, column, _))] = part {
            chosen.push((*row, *column));
        } else {
            solve_part(part, &mut chosen);
        }
    }
    chosen.sort_unstable();
    chosen
}

fn solve_part(part: &[(usize, Pair)], chosen: &mut Vec<(usize, usize)>) {
    let mut rows: Vec<usize> = part.iter().map(|(_, p)| p.0).collect();
    rows.dedup();
    let mut columns: Vec<usize> = part.iter().map(|(_, p)| p.1).collect();
    columns.sort_unstable();
    columns.dedup();
    // Extra columns of similarity 0 let a row stay alone.
    let (n, m) = (rows.len(), columns.len() + rows.len());
    let mut cost = vec![0.0f64; n * m];
    for (_, (row, column, similarity)) in part {
        let r = rows.binary_search(row).expect("collected above");
        let c = columns.binary_search(column).expect("collected above");
        cost[r * m + c] = -f64::from(*similarity);
    }
    for (r, c) in solve_dense(n, m, &cost).into_iter().enumerate() {
        if c < columns.len() && cost[r * m + c] < 0.0 {
            chosen.push((rows[r], columns[c]));
        }
    }
}

/// The column of each row in the cheapest full assignment of `n` rows to `m >= n` columns.
fn solve_dense(n: usize, m: usize, cost: &[f64]) -> Vec<usize> {
    let (mut u, mut v) = (vec![0.0; n + 1], vec![0.0; m + 1]);
    let (mut row_of, mut way) = (vec![0usize; m + 1], vec![0usize; m + 1]);
    for row in 1..=n {
        row_of[0] = row;
        let mut column = 0;
        let mut least = vec![f64::INFINITY; m + 1];
        let mut used = vec![false; m + 1];
        loop {
            used[column] = true;
            let r = row_of[column];
            let (mut delta, mut next) = (f64::INFINITY, 0);
            for c in 1..=m {
                if used[c] {
                    continue;
                }
                let reduced = cost[(r - 1) * m + c - 1] - u[r] - v[c];
                if reduced < least[c] {
                    least[c] = reduced;
                    way[c] = column;
                }
                if least[c] < delta {
                    delta = least[c];
                    next = c;
                }
            }
            for c in 0..=m {
                if used[c] {
                    u[row_of[c]] += delta;
                    v[c] -= delta;
                } else {
                    least[c] -= delta;
                }
            }
            column = next;
            if row_of[column] == 0 {
                break;
            }
        }
        while column != 0 {
            row_of[column] = row_of[way[column]];
            column = way[column];
        }
    }
    let mut columns = vec![0; n];
    for c in 1..=m {
        if row_of[c] > 0 {
            columns[row_of[c] - 1] = c - 1;
        }
    }
    columns
}

/// Disjoint sets of vertices.
struct Parts(Vec<usize>);

impl Parts {
    fn new(n: usize) -> Self {
        Self((0..n).collect())
    }

    fn root(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brute_force(rows: usize, columns: usize, table: &[f32]) -> f32 {
        fn go(row: usize, rows: usize, columns: usize, table: &[f32], used: &mut Vec<bool>) -> f32 {
            if row == rows {
                return 0.0;
            }
            let mut best = go(row + 1, rows, columns, table, used);
            for c in 0..columns {
                if !used[c] && table[row * columns + c] > 0.0 {
                    used[c] = true;
                    best = best.max(table[row * columns + c] + go(row + 1, rows, columns, table, used));
                    used[c] = false;
                }
            }
            best
        }
        go(0, rows, columns, table, &mut vec![false; columns])
    }

    proptest! {
        #[test]
        fn no_other_pairing_is_better(rows in 1usize..6, columns in 1usize..6, seed in proptest::collection::vec(-0.5f32..1.0, 36)) {
            let table = &seed[..rows * columns];
            let pairs: Vec<Pair> = (0..rows * columns)
                .filter(|i| table[*i] > 0.0)
                .map(|i| (i / columns, i % columns, table[i]))
                .collect();
            let chosen = best_pairs(rows, columns, &pairs);
            let total: f32 = chosen.iter().map(|(r, c)| table[r * columns + c]).sum();
            prop_assert!((total - brute_force(rows, columns, table)).abs() < 1e-4);
            let mut seen_rows: Vec<_> = chosen.iter().map(|p| p.0).collect();
            seen_rows.dedup();
            let mut seen_columns: Vec<_> = chosen.iter().map(|p| p.1).collect();
            seen_columns.sort_unstable();
            seen_columns.dedup();
            prop_assert_eq!((seen_rows.len(), seen_columns.len()), (chosen.len(), chosen.len()));
        }
    }

    #[test]
    fn the_greedy_choice_is_given_up_for_a_better_whole() {
        let pairs = [(0, 0, 0.9), (0, 1, 0.8), (1, 0, 0.8)];
        assert_eq!(best_pairs(2, 2, &pairs), [(0, 1), (1, 0)]);
    }
}
