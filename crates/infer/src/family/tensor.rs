//! What a run gave back: named arrays, looked at picture by picture.

/// Numbers of a tensor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a> {
    F32(&'a [f32]),
    I64(&'a [i64]),
    I32(&'a [i32]),
}

/// One output of a run, row-major.
#[derive(Debug, Clone)]
pub(crate) struct Tensor<'a> {
    shape: Vec<usize>,
    values: Values<'a>,
}

impl<'a> Tensor<'a> {
    pub(crate) fn new(shape: Vec<usize>, values: Values<'a>) -> Self {
        Self { shape, values }
    }

    #[cfg(test)]
    pub(crate) fn f32(shape: Vec<usize>, values: &'a [f32]) -> Self {
        Self::new(shape, Values::F32(values))
    }
}

/// All outputs of a run, by name.
#[derive(Debug)]
pub(crate) struct Outputs<'a>(Vec<(&'a str, Tensor<'a>)>);

/// Why outputs cannot be read as the manifest says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// An output is not there.
    #[error("the model has no output \"{0}\"; hint: compare [family] in its manifest with the ONNX file")]
    Missing(String),
    /// An output has another shape.
    #[error(
        "output \"{name}\" has the shape {found:?} where {expected} was expected; hint: check the family, its strides and the number of classes in the manifest"
    )]
    Shape {
        /// The output.
        name: String,
        /// Its shape, with or without the batch.
        found: Vec<usize>,
        /// The shape that the manifest makes one expect.
        expected: String,
    },
    /// An output has integers for floats or the like.
    #[error("output \"{0}\" holds numbers of another kind than the family gives")]
    Kind(String),
    /// A class number is out of range.
    #[error(
        "the model answers with class {class}, but its manifest names {classes}; hint: complete `classes`"
    )]
    UnknownClass {
        /// What the model says.
        class: usize,
        /// How many the manifest names.
        classes: usize,
    },
}

/// Rows of equal length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) count: usize,
    pub(crate) length: usize,
    pub(crate) values: &'a [f32],
}

impl<'a> Rows<'a> {
    pub(crate) fn row(&self, i: usize) -> &'a [f32] {
        &self.values[i * self.length..(i + 1) * self.length]
    }
}

impl<'a> Outputs<'a> {
    pub(crate) fn new(tensors: Vec<(&'a str, Tensor<'a>)>) -> Self {
        Self(tensors)
    }

    fn tensor(&self, name: &str) -> Result<&Tensor<'a>, DecodeError> {
        let found = self.0.iter().find(|(n, _)| *n == name);
        found.map(|(_, t)| t).ok_or_else(|| DecodeError::Missing(name.to_owned()))
    }

    /// The part of picture `item`: its shape without the batch and its numbers.
    pub(crate) fn item(&self, name: &str, item: usize) -> Result<(&[usize], &'a [f32]), DecodeError> {
        let tensor = self.tensor(name)?;
        let Values::F32(values) = tensor.values else { return Err(DecodeError::Kind(name.to_owned())) };
        let (shape, range) = part(name, tensor, item)?;
        Ok((shape, &values[range]))
    }

    /// The part of picture `item` as rows; an output `[N, K]` has rows of one number.
    pub(crate) fn rows(
        &self,
        name: &str,
        item: usize,
        count: Option<usize>,
        length: Option<usize>,
    ) -> Result<Rows<'a>, DecodeError> {
        let (shape, values) = self.item(name, item)?;
        let (found_count, found_length) = match *shape {
            [count] => (count, 1),
            [count, length] => (count, length),
            _ => (usize::MAX, usize::MAX),
        };
        if found_count != count.unwrap_or(found_count)
            || found_length != length.unwrap_or(found_length)
            || found_count == usize::MAX
        {
            let part = |n: Option<usize>| n.map_or("any".to_owned(), |n| n.to_string());
            return Err(DecodeError::Shape {
                name: name.to_owned(),
                found: shape.to_vec(),
                expected: format!("[{}, {}] for each picture", part(count), part(length)),
            });
        }
        Ok(Rows { count: found_count, length: found_length, values })
    }

    /// The part of picture `item` as class numbers, whichever kind of number the graph gives.
    pub(crate) fn classes(&self, name: &str, item: usize) -> Result<Vec<usize>, DecodeError> {
        let tensor = self.tensor(name)?;
        let (_, range) = part(name, tensor, item)?;
        let index = |v: i64| usize::try_from(v).unwrap_or(usize::MAX);
        Ok(match tensor.values {
            Values::I64(v) => v[range].iter().map(|v| index(*v)).collect(),
            Values::I32(v) => v[range].iter().map(|v| index(i64::from(*v))).collect(),
            Values::F32(v) => v[range].iter().map(|v| index(*v as i64)).collect(),
        })
    }
}

fn part<'t>(
    name: &str,
    tensor: &'t Tensor<'_>,
    item: usize,
) -> Result<(&'t [usize], std::ops::Range<usize>), DecodeError> {
    let length = match tensor.values {
        Values::F32(v) => v.len(),
        Values::I64(v) => v.len(),
        Values::I32(v) => v.len(),
    };
    match tensor.shape.split_first() {
        Some((batch, shape)) if item < *batch => {
            let each = shape.iter().product::<usize>();
            if each * batch == length {
                return Ok((shape, item * each..(item + 1) * each));
            }
        }
        _ => {}
    }
    Err(DecodeError::Shape {
        name: name.to_owned(),
        found: tensor.shape.clone(),
        expected: format!("a batch of more than {item} pictures"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_cut_into_pictures_and_shapes_are_checked() {
        let values: Vec<f32> = (0..12u8).map(f32::from).collect();
        let outputs = Outputs::new(vec![("o", Tensor::f32(vec![2, 2, 3], &values))]);
        let rows = outputs.rows("o", 1, Some(2), None).unwrap();
        assert_eq!((rows.count, rows.length, rows.row(1)), (2, 3, &[9.0, 10.0, 11.0][..]));
        assert!(matches!(outputs.rows("o", 1, None, Some(4)), Err(DecodeError::Shape { .. })));
        assert!(matches!(outputs.rows("o", 2, None, None), Err(DecodeError::Shape { .. })));
        assert_eq!(outputs.rows("p", 0, None, None).unwrap_err(), DecodeError::Missing("p".into()));
    }
}
