//! Parameters and the trait that finds them: every parameter of a model, in order, under its PyTorch name.

use crate::{Scalar, Tensor};
use ndarray::ArrayD;
use std::ops::Deref;

/// A trainable tensor: a plain field of its layer. It is a leaf of every graph it is used in, and keeps its identity when updated.
#[derive(Clone, Debug)]
pub struct Param<T> {
    tensor: Tensor<T>,
}

impl<T: Scalar> Param<T> {
    /// A parameter with the given initial values.
    #[track_caller]
    pub fn new(values: impl Into<ArrayD<T>>) -> Self {
        let values: ArrayD<T> = values.into();
        Param { tensor: Tensor::new(values.as_standard_layout().into_owned()).tracked() }
    }

    /// The values in row-major order, to be changed in place. A graph that still holds them keeps the old ones.
    pub fn values_mut(&mut self) -> &mut [T] {
        self.tensor.value_mut().as_slice_mut().expect("a parameter is row-major")
    }

    /// The values in row-major order.
    pub fn values(&self) -> &[T] {
        self.tensor.value().as_slice().expect("a parameter is row-major")
    }
}

/// A parameter is used as the tensor it is.
impl<T> Deref for Param<T> {
    type Target = Tensor<T>;
    fn deref(&self) -> &Tensor<T> {
        &self.tensor
    }
}

/// Called with the dotted name of each parameter and the parameter.
pub type Visit<'v, 'a, T> = &'v mut dyn FnMut(String, &'a Param<T>);

/// Called with the dotted name of each parameter and the parameter, to change it.
pub type VisitMut<'v, 'a, T> = &'v mut dyn FnMut(String, &'a mut Param<T>);

/// Something that owns parameters. Their names are the names of the fields on the way to them, joined by dots, in the order
/// of the fields: the names of PyTorch's `state_dict`.
///
/// A struct whose fields are modules says which with [`crate::module!`]; only a layer with other names writes the two methods.
pub trait Module<T: Scalar> {
    /// Calls `visit` for each parameter, in order, its name beginning with `prefix`.
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>);

    /// As [`Module::visit`], for changing parameters.
    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>);

    /// Every parameter with its name, in order.
    fn parameters(&self) -> Vec<(String, &Param<T>)> {
        let mut all = Vec::new();
        self.visit("", &mut |name, param| all.push((name, param)));
        all
    }

    /// Every parameter with its name, in order, for changing.
    fn parameters_mut(&mut self) -> Vec<(String, &mut Param<T>)> {
        let mut all = Vec::new();
        self.visit_mut("", &mut |name, param| all.push((name, param)));
        all
    }

    /// The number of trainable numbers.
    fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|(_, param)| param.values().len()).sum()
    }

    /// Replaces the values of every parameter by those that `find` gives for its name.
    ///
    /// # Errors
    /// If a parameter is not found or has another shape. Parameters before it are then already replaced.
    fn load(&mut self, find: &mut dyn FnMut(&str) -> Option<ArrayD<T>>) -> Result<(), LoadError> {
        for (name, param) in self.parameters_mut() {
            let Some(values) = find(&name) else { return Err(LoadError::Missing { name }) };
            if values.shape() != param.shape() {
                let (expected, found) = (param.shape().to_vec(), values.shape().to_vec());
                return Err(LoadError::Shape { name, expected, found });
            }
            param.values_mut().iter_mut().zip(&values).for_each(|(to, &from)| *to = from);
        }
        Ok(())
    }
}

/// Why parameters could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// There are no values for a parameter.
    #[error("no values for parameter {name}")]
    Missing {
        /// The parameter's name.
        name: String,
    },
    /// The values have another shape than the parameter.
    #[error("parameter {name} has shape {expected:?}, the given values have shape {found:?}")]
    Shape {
        /// The parameter's name.
        name: String,
        /// The parameter's shape.
        expected: Vec<usize>,
        /// The values' shape.
        found: Vec<usize>,
    },
}

impl<T: Scalar> Module<T> for Param<T> {
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>) {
        visit(prefix.to_string(), self);
    }
    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>) {
        visit(prefix.to_string(), self);
    }
}

/// An absent module has no parameters.
impl<T: Scalar, M: Module<T>> Module<T> for Option<M> {
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>) {
        if let Some(module) = self {
            module.visit(prefix, visit);
        }
    }
    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>) {
        if let Some(module) = self {
            module.visit_mut(prefix, visit);
        }
    }
}

/// A list names its members by their index: `blocks.3.weight`.
impl<T: Scalar, M: Module<T>> Module<T> for Vec<M> {
    fn visit<'a>(&'a self, prefix: &str, visit: Visit<'_, 'a, T>) {
        for (i, module) in self.iter().enumerate() {
            module.visit(&join(prefix, &i.to_string()), visit);
        }
    }
    fn visit_mut<'a>(&'a mut self, prefix: &str, visit: VisitMut<'_, 'a, T>) {
        for (i, module) in self.iter_mut().enumerate() {
            module.visit_mut(&join(prefix, &i.to_string()), visit);
        }
    }
}

/// `prefix.name`, or `name` at the top.
#[doc(hidden)]
pub fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") }
}

/// Makes a struct, generic over its scalar, a [`Module`] whose parameters are those of the named fields, in this order.
///
/// ```
/// use autograd::{module, nn::{Linear, Module}, random::Streams};
/// struct Mlp<T> { hidden: Linear<T>, head: Linear<T> }
/// module!(Mlp { hidden, head });
/// let mut stream = Streams::new(1).stream("init");
/// let mlp = Mlp::<f32> { hidden: Linear::new(4, 8, &mut stream), head: Linear::new(8, 1, &mut stream) };
/// let names: Vec<String> = mlp.parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["hidden.weight", "hidden.bias", "head.weight", "head.bias"]);
/// ```
#[macro_export]
macro_rules! module {
    ($module:ident { $($field:ident),* $(,)? }) => {
        impl<T: $crate::Scalar> $crate::nn::Module<T> for $module<T> {
            fn visit<'a>(&'a self, prefix: &str, visit: $crate::nn::Visit<'_, 'a, T>) {
                $($crate::nn::Module::visit(&self.$field, &$crate::nn::join(prefix, stringify!($field)), visit);)*
            }
            fn visit_mut<'a>(&'a mut self, prefix: &str, visit: $crate::nn::VisitMut<'_, 'a, T>) {
                $($crate::nn::Module::visit_mut(&mut self.$field, &$crate::nn::join(prefix, stringify!($field)), visit);)*
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(values: &[f64]) -> Param<f64> {
        Param::new(ndarray::arr1(values).into_dyn())
    }

    #[test]
    fn loading_replaces_each_parameter_by_the_values_of_its_name() {
        let mut list = vec![param(&[1.0, 2.0]), param(&[3.0])];
        let loaded = list.load(&mut |name| {
            let values: &[f64] = match name {
                "0" => &[10.0, 20.0],
                "1" => &[30.0],
                _ => return None,
            };
            Some(ndarray::arr1(values).into_dyn())
        });
        assert_eq!(loaded, Ok(()));
        assert_eq!(list.iter().flat_map(|param| param.values().to_vec()).collect::<Vec<_>>(), [10.0, 20.0, 30.0]);
        assert_eq!(list.parameter_count(), 3);
    }

    #[test]
    fn values_that_are_missing_or_of_another_shape_are_refused_by_name() {
        let mut list = vec![param(&[1.0, 2.0])];
        assert_eq!(list.load(&mut |_| None), Err(LoadError::Missing { name: "0".into() }));
        let other = list.load(&mut |_| Some(ndarray::arr2(&[[1.0, 2.0]]).into_dyn()));
        assert_eq!(other, Err(LoadError::Shape { name: "0".into(), expected: vec![2], found: vec![1, 2] }));
        assert_eq!(list[0].values().to_vec(), [1.0, 2.0]);
    }
}
