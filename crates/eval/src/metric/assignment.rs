//! Linear assignment: each row gets at most one column so that the sum of costs is least. The shortest augmenting path
//! method of Crouse, "On implementing 2D rectangular assignment algorithms" (IEEE Trans. AES 52(4), 2016), with the order
//! of search and thereby the choice among equal solutions of `scipy.optimize.linear_sum_assignment`, which `TrackEval` uses: so
//! ties give the same figures.

/// A dense matrix of costs, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// All zero.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    /// The values that `value(row, column)` gives.
    pub fn from_fn(rows: usize, columns: usize, mut value: impl FnMut(usize, usize) -> f64) -> Self {
        let mut matrix = Self::zeros(rows, columns);
        for row in 0..rows {
            for column in 0..columns {
                matrix.values[row * columns + column] = value(row, column);
            }
        }
        matrix
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |row, column| self[(column, row)])
    }
}

impl std::ops::Index<(usize, usize)> for Matrix {
    type Output = f64;
    fn index(&self, (row, column): (usize, usize)) -> &f64 {
        &self.values[row * self.columns + column]
    }
}

impl std::ops::IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut f64 {
        &mut self.values[row * self.columns + column]
    }
}

/// Pairs `(row, column)` of least total cost, by rising row: as many as the shorter side has. Costs must be finite.
pub fn assign(cost: &Matrix) -> Vec<(usize, usize)> {
    if cost.columns < cost.rows {
        let mut pairs: Vec<_> =
            solve(&cost.transposed()).into_iter().map(|(column, row)| (row, column)).collect();
        pairs.sort_unstable();
        pairs
    } else {
        solve(cost)
    }
}

const FREE: usize = usize::MAX;

/// At least as many columns as rows.
fn solve(cost: &Matrix) -> Vec<(usize, usize)> {
    let (rows, columns) = (cost.rows, cost.columns);
    let (mut row_price, mut column_price) = (vec![0.0; rows], vec![0.0; columns]);
    let (mut column_of_row, mut row_of_column) = (vec![FREE; rows], vec![FREE; columns]);
    let mut came_from = vec![FREE; columns];
    let mut shortest = vec![f64::INFINITY; columns];
    let mut open: Vec<usize> = Vec::with_capacity(columns);
    let (mut row_seen, mut column_seen) = (vec![false; rows], vec![false; columns]);

    for start in 0..rows {
        open.clear();
        // From the last to the first: equal costs throughout give the identity.
        open.extend((0..columns).rev());
        row_seen.fill(false);
        column_seen.fill(false);
        shortest.fill(f64::INFINITY);
        let (mut row, mut least) = (start, 0.0);
        let sink = loop {
            row_seen[row] = true;
            let (mut nearest, mut lowest) = (0, f64::INFINITY);
            for (place, &column) in open.iter().enumerate() {
                let length = least + cost[(row, column)] - row_price[row] - column_price[column];
                if length < shortest[column] {
                    came_from[column] = row;
                    shortest[column] = length;
                }
                // Among equals a free column ends the search at once.
                if shortest[column] < lowest || (shortest[column] == lowest && row_of_column[column] == FREE)
                {
                    lowest = shortest[column];
                    nearest = place;
                }
            }
            least = lowest;
            let column = open.swap_remove(nearest);
            column_seen[column] = true;
            if row_of_column[column] == FREE {
                break column;
            }
            row = row_of_column[column];
        };

        row_price[start] += least;
        for other in 0..rows {
            if row_seen[other] && other != start {
                row_price[other] += least - shortest[column_of_row[other]];
            }
        }
        for column in 0..columns {
            if column_seen[column] {
                column_price[column] -= least - shortest[column];
            }
        }
        let mut column = sink;
        loop {
            let row = came_from[column];
            row_of_column[column] = row;
            std::mem::swap(&mut column_of_row[row], &mut column);
            if row == start {
                break;
            }
        }
    }
    column_of_row.into_iter().enumerate().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[f64]]) -> Matrix {
        Matrix::from_fn(rows.len(), rows.first().map_or(0, |row| row.len()), |row, column| rows[row][column])
    }

    #[test]
    fn the_sum_of_costs_is_least() {
        let cost = matrix(&[&[4.0, 1.0, 3.0], &[2.0, 0.0, 5.0], &[3.0, 2.0, 2.0]]);
        assert_eq!(assign(&cost), [(0, 1), (1, 0), (2, 2)]);
    }

    #[test]
    fn more_rows_than_columns_leave_rows_out() {
        let cost = matrix(&[&[-0.2], &[-0.9], &[-0.5]]);
        assert_eq!(assign(&cost), [(1, 0)]);
    }

    #[test]
    fn equal_costs_give_the_identity() {
        assert_eq!(assign(&Matrix::zeros(3, 4)), [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(assign(&Matrix::zeros(0, 4)), []);
    }

    #[test]
    fn it_finds_what_trying_all_permutations_finds() {
        let mut state = 1_u64;
        for _ in 0..200 {
            let cost = Matrix::from_fn(4, 4, |_, _| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                f64::from((state >> 60) as u8)
            });
            let sum: f64 = assign(&cost).into_iter().map(|pair| cost[pair]).sum();
            let mut best = f64::INFINITY;
            for code in 0..256 {
                let columns = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
                if (0..4).all(|wanted| columns.contains(&wanted)) {
                    best = best.min((0..4).map(|row| cost[(row, columns[row])]).sum());
                }
            }
            assert_eq!(sum, best);
        }
    }
}
