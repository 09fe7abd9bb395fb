//! Products of two tensors written with a letter for each axis: `"bij,bjk->bik"`.
//!
//! Nothing new is computed: axes that one operand alone has and the result has not are summed, what is left is permuted into batch, rows, columns
//! and one batched matrix product, and its axes are permuted into those of the result. The ops recorded are those of the parts.

use crate::gradcheck::{Case, real};
use crate::{Scalar, Tensor};

/// The letters of two operands and of the result.
struct Letters {
    x: Vec<char>,
    y: Vec<char>,
    z: Vec<char>,
}

impl Letters {
    /// # Panics
    /// If the subscripts are not two operands and at most one result, of letters, none twice in a group, with the result's among the operands'.
    #[track_caller]
    fn parse(subscripts: &str) -> Letters {
        let (operands, result) = match subscripts.split_once("->") {
            Some((operands, result)) => (operands, Some(result)),
            None => (subscripts, None),
        };
        let groups: Vec<&str> = operands.split(',').collect();
        assert!(groups.len() == 2, "einsum \"{subscripts}\": {} operands, not 2", groups.len());
        let (x, y) = (group(subscripts, groups[0]), group(subscripts, groups[1]));
        let z = match result {
            Some(result) => group(subscripts, result),
            None => {
                // As in NumPy: the letters that one operand alone has, in the order of the alphabet.
                let once = x.iter().filter(|c| !y.contains(c)).chain(y.iter().filter(|c| !x.contains(c)));
                let mut once: Vec<char> = once.copied().collect();
                once.sort_unstable();
                once
            }
        };
        for c in &z {
            assert!(x.contains(c) || y.contains(c), "einsum \"{subscripts}\": '{c}' of the result is in no operand");
        }
        Letters { x, y, z }
    }
}

/// The letters of one operand or of the result.
#[track_caller]
fn group(subscripts: &str, group: &str) -> Vec<char> {
    let mut letters = Vec::new();
    for c in group.chars().filter(|c| !c.is_whitespace()) {
        assert!(c.is_ascii_alphabetic(), "einsum \"{subscripts}\": '{c}' is not a letter");
        assert!(!letters.contains(&c), "einsum \"{subscripts}\": '{c}' twice in \"{}\"", group.trim());
        letters.push(c);
    }
    letters
}

/// An operand with the axes summed whose letters are not in `needed`, and the letters that are left.
#[track_caller]
fn sum_others<T: Scalar>(x: &Tensor<T>, letters: &[char], needed: impl Fn(char) -> bool) -> (Tensor<T>, Vec<char>) {
    let others: Vec<isize> = (0..letters.len()).filter(|&i| !needed(letters[i])).map(|i| i as isize).collect();
    let left = letters.iter().copied().filter(|&c| needed(c)).collect();
    (if others.is_empty() { x.clone() } else { x.sum_axes(&others) }, left)
}

/// The axes of `x`, whose letters are `from`, in the order of `to`.
#[track_caller]
fn arrange<T: Scalar>(x: &Tensor<T>, from: &[char], to: &[char]) -> Tensor<T> {
    let order: Vec<usize> = to.iter().map(|c| from.iter().position(|d| d == c).expect("the same letters")).collect();
    if order.iter().copied().eq(0..order.len()) { x.clone() } else { x.permute(&order) }
}

impl<T: Scalar> Tensor<T> {
    /// The product of two tensors with a letter for each axis: `z[…] = Σ x[…]·y[…]` over the letters that the result does not have.
    /// By sums, permutations, and one matrix product for each index of the letters that x, y and z all have.
    ///
    /// Without `->` the result has the letters that one operand alone has, in the order of the alphabet, as in NumPy. Spaces are ignored. A letter
    /// twice in an operand (a diagonal) and `...` are not understood.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let (q, k) = (Tensor::<f32>::ones(&[2, 5, 4, 8]), Tensor::ones(&[2, 7, 4, 8]));
    /// // Attention's scores of 4 heads: (B, T, N, D) × (B, S, N, D) → (B, N, T, S).
    /// let scores = Tensor::einsum("btnd,bsnd->bnts", &q, &k);
    /// assert_eq!((scores.shape(), scores.to_vec()[0]), (&[2, 4, 5, 7][..], 8.0));
    /// ```
    ///
    /// # Backward
    /// That of the ops it is composed of: `∂x` is the einsum of g and y, `∂y` that of x and g.
    ///
    /// # Panics
    /// If the subscripts are malformed, a tensor has another number of axes, or one letter stands for two sizes (1 and n too).
    #[track_caller]
    pub fn einsum(subscripts: &str, x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
        let Letters { x: in_x, y: in_y, z: in_z } = Letters::parse(subscripts);
        let mut sizes = std::collections::BTreeMap::new();
        for (letters, shape) in [(&in_x, x.shape()), (&in_y, y.shape())] {
            let name: String = letters.iter().collect();
            assert!(
                letters.len() == shape.len(),
                "einsum \"{subscripts}\": \"{name}\" for a tensor of shape {shape:?}"
            );
            for (&c, &size) in letters.iter().zip(shape) {
                let first = *sizes.entry(c).or_insert(size);
                assert!(first == size, "einsum \"{subscripts}\": '{c}' is {first} and {size}");
            }
        }
        let (x, in_x) = sum_others(x, &in_x, |c| in_y.contains(&c) || in_z.contains(&c));
        let (y, in_y) = sum_others(y, &in_y, |c| in_x.contains(&c) || in_z.contains(&c));

        // What a letter does follows from where it stands: in all three, in x and z, in y and z, or in x and y.
        let in_all = |c: &char| in_x.contains(c) && in_y.contains(c) && in_z.contains(c);
        let letters =
            |of: &[char], keep: &dyn Fn(&char) -> bool| of.iter().copied().filter(|c| keep(c)).collect::<Vec<_>>();
        let batch = letters(&in_z, &in_all);
        let rows = letters(&in_z, &|c| !in_y.contains(c));
        let columns = letters(&in_z, &|c| !in_x.contains(c));
        let summed = letters(&in_x, &|c| !in_z.contains(c));

        let size = |letters: &[char]| letters.iter().map(|c| sizes[c]).product::<usize>();
        let leading: Vec<usize> = batch.iter().map(|c| sizes[c]).collect();
        let matrices = |rows: usize, columns: usize| [&leading[..], &[rows, columns]].concat();
        let x =
            arrange(&x, &in_x, &[&batch[..], &rows, &summed].concat()).reshape(&matrices(size(&rows), size(&summed)));
        let y = arrange(&y, &in_y, &[&batch[..], &summed, &columns].concat());
        let y = y.reshape(&matrices(size(&summed), size(&columns)));
        let computed = [batch, rows, columns].concat();
        let shape: Vec<usize> = computed.iter().map(|c| sizes[c]).collect();
        arrange(&x.matmul(&y).reshape(&shape), &computed, &in_z)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |subscripts: &'static str, x: &[usize], y: &[usize]| {
        let case = Case::new("matmul", &[real(x), real(y)], move |x| Tensor::einsum(subscripts, &x[0], &x[1]));
        case.variant(format!("einsum {subscripts}"))
    };
    vec![
        case("ij,jk->ik", &[2, 3], &[3, 2]),
        case("bij,bkj->bik", &[2, 2, 3], &[2, 2, 3]),
        case("btnd,bsnd->bnts", &[1, 2, 2, 2], &[1, 3, 2, 2]),
        case("i,j->ji", &[2], &[3]),
        case("ij,ij->", &[2, 3], &[2, 3]),
        case("ijk,lk->l", &[2, 2, 3], &[2, 3]),
        case("ab,b->ba", &[2, 3], &[3]),
        case("ik,k", &[0, 2], &[2]),
        Case::new("matmul", &[real(&[3, 3])], |x| Tensor::einsum("ij,jk->ki", &x[0], &x[0]))
            .variant("einsum of the same tensor twice"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Streams;

    /// The definition: the sum over every index of every letter.
    fn by_definition(letters: &Letters, x: &Tensor<f64>, y: &Tensor<f64>) -> ndarray::ArrayD<f64> {
        let mut all: Vec<(char, usize)> = Vec::new();
        for (c, n) in letters.x.iter().zip(x.shape()).chain(letters.y.iter().zip(y.shape())) {
            if !all.contains(&(*c, *n)) {
                all.push((*c, *n));
            }
        }
        let place = |c: &char| all.iter().position(|(d, _)| d == c).unwrap();
        let mut z = ndarray::ArrayD::zeros(letters.z.iter().map(|c| all[place(c)].1).collect::<Vec<_>>());
        for index in ndarray::indices(all.iter().map(|&(_, n)| n).collect::<Vec<_>>()) {
            let at = |letters: &[char]| letters.iter().map(|c| index[place(c)]).collect::<Vec<_>>();
            z[&at(&letters.z)[..]] += x.value()[&at(&letters.x)[..]] * y.value()[&at(&letters.y)[..]];
        }
        z
    }

    #[test]
    fn every_kind_of_product_equals_its_definition() {
        let mut stream = Streams::new(1).stream("einsum");
        let size = |c: char| 2 + (c as usize - 'a' as usize) % 3;
        for subscripts in [
            "ij,jk->ik",
            "ij,jk",
            "ij,jk->ki",
            "ji,kj->ik",
            "bij,bjk->bik",
            "bij,bkj->kbi",
            "i,i->",
            "i,i->i",
            "i,j->ij",
            "ij,ij->ij",
            "ij,ij->j",
            "ijk,->",
            ",ij->ji",
            "ijk,lk->l",
            "ijk,lm->jl",
            "abcd,ebfd->fcbae",
            "abc,cab->bac",
            "btnd,bsnd->bnts",
            "bnts,bsnd->btnd",
            "i j , j -> i",
            "zy,yx",
        ] {
            let letters = Letters::parse(subscripts);
            let mut draw =
                |letters: &[char]| Tensor::randn(&letters.iter().map(|&c| size(c)).collect::<Vec<_>>(), &mut stream);
            let (x, y) = (draw(&letters.x), draw(&letters.y));
            let (z, exact) = (Tensor::einsum(subscripts, &x, &y), by_definition(&letters, &x, &y));
            assert_eq!(z.shape(), exact.shape(), "{subscripts}");
            z.value().iter().zip(&exact).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{subscripts}: {a}, {b}"));
        }
    }

    #[test]
    fn without_an_arrow_the_result_has_the_letters_of_one_operand_in_order() {
        assert_eq!(Letters::parse("zb,ba").z, ['a', 'z']);
        assert!(Letters::parse("ij,ij").z.is_empty());
    }

    #[test]
    fn mistakes_are_told_with_the_subscripts() {
        let told = |subscripts: &str, x: &[usize], y: &[usize]| {
            let run = || Tensor::einsum(subscripts, &Tensor::<f32>::zeros(x), &Tensor::zeros(y));
            let panic = std::panic::catch_unwind(run).expect_err("a mistake");
            panic.downcast_ref::<String>().expect("a message").clone()
        };
        assert_eq!(told("ij,jk->ik", &[2, 3], &[4, 5]), "einsum \"ij,jk->ik\": 'j' is 3 and 4");
        assert_eq!(told("ij,jk->ik", &[2, 1], &[4, 5]), "einsum \"ij,jk->ik\": 'j' is 1 and 4");
        assert_eq!(told("ij,jk->il", &[2, 3], &[3, 5]), "einsum \"ij,jk->il\": 'l' of the result is in no operand");
        assert_eq!(told("ii,ij->j", &[2, 2], &[2, 3]), "einsum \"ii,ij->j\": 'i' twice in \"ii\"");
        assert_eq!(told("ij,jk->ikk", &[2, 3], &[3, 5]), "einsum \"ij,jk->ikk\": 'k' twice in \"ikk\"");
        assert_eq!(told("ij->ji", &[2, 3], &[3]), "einsum \"ij->ji\": 1 operands, not 2");
        assert_eq!(told("...i,i->i", &[2, 3], &[3]), "einsum \"...i,i->i\": '.' is not a letter");
        assert_eq!(told("i,ij->j", &[2, 3], &[2, 3]), "einsum \"i,ij->j\": \"i\" for a tensor of shape [2, 3]");
    }
}
