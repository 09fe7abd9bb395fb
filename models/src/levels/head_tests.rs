//! Heads: that what they give is a distribution, and that the loss is its likelihood.

use super::*;
use autograd::gradcheck::{Case, real};
use autograd::random::Streams;

/// Every kind of head with levels that it can have.
fn heads() -> Vec<(Head, usize)> {
    let categorical = [2, 3, 17, 256].map(|levels| (Head::Categorical, levels));
    let logistics =
        [(1, 2), (5, 3), (2, 17), (5, 256)].map(|(components, levels)| (Head::Logistics { components }, levels));
    [(Head::Bernoulli, 2)].into_iter().chain(categorical).chain(logistics).collect()
}

/// Numbers of a network, by chance: (B, colours · P, H, W), channels innermost in memory.
fn numbers(head: Head, levels: usize, [images, colours, height, width]: [usize; 4]) -> Tensor<f64> {
    let channels = colours * head.parameters(levels);
    let shape = [images, height, width, channels];
    Tensor::randn(&shape, &mut Streams::new(3).stream("numbers")).mul_scalar(2.0).permute(&[0, 3, 1, 2])
}

fn targets(levels: usize, count: usize) -> Vec<u32> {
    (0..count).map(|i| ((i * 7 + i / 3) % levels) as u32).collect()
}

#[test]
fn probabilities_sum_to_one_and_are_what_is_scored() {
    let all = (2..=256).map(|levels| (Head::Logistics { components: 3 }, levels));
    for (head, levels) in heads().into_iter().chain(all) {
        for seed in 0..20 {
            let row = Tensor::<f64>::randn(&[head.parameters(levels)], &mut Streams::new(seed).stream("row"));
            let row: Vec<f64> = row.to_vec().into_iter().map(|x| 5.0 * x).collect();
            let distribution = head.distribution(levels, &row);
            let p = distribution.probabilities();
            assert_eq!((p.len(), distribution.symbols()), (levels, levels));
            let sum: f64 = p.iter().sum();
            assert!((sum - 1.0).abs() < 1e-12, "{head:?} of {levels} levels: {sum}");
            for (level, p) in p.iter().enumerate() {
                let scored = distribution.log_probability(level as u32).exp();
                assert!((scored - p).abs() < 1e-14, "{head:?} {level}: {scored} {p}");
            }
        }
    }
}

#[test]
fn the_loss_is_the_mean_of_what_the_distributions_score() {
    let sizes = [2, 3, 2, 4];
    for (head, levels) in heads() {
        let (parameters, targets) = (numbers(head, levels, sizes), targets(levels, sizes.iter().product()));
        let rows = rows(head.parameters(levels), &parameters).to_vec();
        let each = rows.chunks_exact(head.parameters(levels)).zip(&targets);
        let expected: Vec<f64> =
            each.map(|(row, &level)| -head.distribution(levels, row).log_probability(level)).collect();
        assert_eq!(head.nats(levels, &parameters, &targets), expected, "{head:?}");
        let mean = expected.iter().sum::<f64>() / expected.len() as f64;
        let loss = head.loss(levels, parameters, &targets).item();
        approx::assert_relative_eq!(loss, mean, max_relative = 1e-12);
    }
}

#[test]
fn colours_of_a_pixel_lie_side_by_side_with_their_own_numbers() {
    // Channel after channel of a pixel: the numbers of colour 0, then those of colour 1.
    let parameters = Tensor::from_vec((0..12).map(f64::from).collect(), &[1, 1, 2, 6]).permute(&[0, 3, 1, 2]);
    assert_eq!(rows(3, &parameters).to_vec(), (0..12).map(f64::from).collect::<Vec<_>>());
    assert_eq!(rows(3, &parameters).shape(), [4, 3]);
}

#[test]
fn gradients_of_the_loss_agree_with_differences() {
    for (head, levels) in heads().into_iter().filter(|(_, levels)| *levels < 20) {
        let channels = 2 * head.parameters(levels);
        let targets = targets(levels, 2 * 2 * 3 * 2);
        let case = Case::new("loss", &[real(&[2, channels, 2, 3])], move |x| head.loss(levels, x[0].clone(), &targets));
        let report = case.check();
        assert!(report.passed(), "{head:?} of {levels}: {report}");
    }
}

#[test]
fn samples_follow_the_probabilities() {
    let mut random = Streams::new(5).stream("samples");
    let distribution = Head::Bernoulli.distribution(2, &[-1.2_f32]);
    let ones: u32 = (0..20_000).map(|_| distribution.sample(&mut random)).sum();
    let p = distribution.probabilities()[1];
    let deviation = (p * (1.0 - p) / 2e4).sqrt();
    assert!((f64::from(ones) / 2e4 - p).abs() < 5.0 * deviation, "{ones} of 20,000 for {p}");
}
