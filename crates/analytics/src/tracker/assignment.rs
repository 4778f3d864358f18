//! Who belongs to whom: the one-to-one pairing with the largest total similarity.
//!
//! Kuhn–Munkres with potentials (shortest augmenting paths, Jonker and Volgenant 1987), on each connected part of
//! the sparse graph of possible pairs by itself: most parts are one pair.

/// A possible pair: row, column, similarity (more than 0).
pub(crate) type Pair = (usize, usize, f32);

/// Finds pairings; keeps its memory from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    parts: Vec<usize>,
    by_part: Vec<(usize, Pair)>,
    chosen: Vec<(usize, usize)>,
    dense: Dense,
}

/// Memory for one part.
#[derive(Debug, Default)]
struct Dense {
    rows: Vec<usize>,
    columns: Vec<usize>,
    cost: Vec<f64>,
    u: Vec<f64>,
    v: Vec<f64>,
    row_of: Vec<usize>,
    way: Vec<usize>,
    least: Vec<f64>,
    used: Vec<bool>,
    column_of: Vec<usize>,
}

impl Matcher {
    /// The pairs, a subset of `pairs`, that use each row and column at most once and have the largest sum of
    /// similarities. Sorted by row. No pair of row and column comes twice; the same input gives the same answer.
    pub(crate) fn best_pairs(&mut self, rows: usize, columns: usize, pairs: &[Pair]) -> &[(usize, usize)] {
        self.chosen.clear();
        if pairs.is_empty() {
            return &self.chosen;
        }
        self.parts.clear();
        self.parts.extend(0..rows + columns);
        for &(row, column, _) in pairs {
            join(&mut self.parts, row, rows + column);
        }
        self.by_part.clear();
        self.by_part.extend(pairs.iter().map(|p| (root(&mut self.parts, p.0), *p)));
        self.by_part.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.0.cmp(&b.1.0)).then(a.1.1.cmp(&b.1.1)));
        for part in self.by_part.chunk_by(|a, b| a.0 == b.0) {
            if let [(_, (row, column, _))] = part {
                self.chosen.push((*row, *column));
            } else {
                self.dense.solve_part(part, &mut self.chosen);
            }
        }
        self.chosen.sort_unstable();
        &self.chosen
    }
}

impl Dense {
    fn solve_part(&mut self, part: &[(usize, Pair)], chosen: &mut Vec<(usize, usize)>) {
        self.rows.clear();
        self.rows.extend(part.iter().map(|(_, p)| p.0));
        self.rows.dedup();
        self.columns.clear();
        self.columns.extend(part.iter().map(|(_, p)| p.1));
        self.columns.sort_unstable();
        self.columns.dedup();
        // Extra columns of similarity 0 let a row stay alone.
        let (n, m) = (self.rows.len(), self.columns.len() + self.rows.len());
        renew(&mut self.cost, n * m, 0.0);
        for (_, (row, column, similarity)) in part {
            let r = self.rows.binary_search(row).expect("collected above");
            let c = self.columns.binary_search(column).expect("collected above");
            self.cost[r * m + c] = -f64::from(*similarity);
        }
        self.solve(n, m);
        for (r, &c) in self.column_of.iter().enumerate() {
            if c < self.columns.len() && self.cost[r * m + c] < 0.0 {
                chosen.push((self.rows[r], self.columns[c]));
            }
        }
    }

    /// The column of each row in the cheapest full assignment of `n` rows to `m >= n` columns.
    fn solve(&mut self, n: usize, m: usize) {
        let Self { cost, u, v, row_of, way, least, used, column_of, .. } = self;
        renew(u, n + 1, 0.0);
        renew(v, m + 1, 0.0);
        renew(row_of, m + 1, 0);
        renew(way, m + 1, 0);
        for row in 1..=n {
            row_of[0] = row;
            let mut column = 0;
            renew(least, m + 1, f64::INFINITY);
            renew(used, m + 1, false);
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
        renew(column_of, n, 0);
        for c in 1..=m {
            if row_of[c] > 0 {
                column_of[row_of[c] - 1] = c - 1;
            }
        }
    }
}

/// Sets the list to `n` times the value.
pub(crate) fn renew<T: Clone>(list: &mut Vec<T>, n: usize, value: T) {
    list.clear();
    list.resize(n, value);
}

/// Disjoint sets of vertices, each named by its smallest.
fn root(parts: &mut [usize], mut i: usize) -> usize {
    while parts[i] != i {
        parts[i] = parts[parts[i]];
        i = parts[i];
    }
    i
}

fn join(parts: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parts, a), root(parts, b));
    parts[a.max(b)] = a.min(b);
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
            let mut matcher = Matcher::default();
            let chosen = matcher.best_pairs(rows, columns, &pairs);
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
        assert_eq!(Matcher::default().best_pairs(2, 2, &pairs), [(0, 1), (1, 0)]);
    }
}
