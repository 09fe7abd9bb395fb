//! What the tensors of a checkpoint are for: parameters, and what a training remembers beside them.

/// What a tensor is for, told by the prefix of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// A parameter or buffer of the model, under its PyTorch `state_dict` name: no prefix.
    Parameter,
    /// `optimizer.`: `optimizer.first_moment.head.weight`, `optimizer.step`.
    Optimizer,
    /// `random.`: one tensor per named stream of random numbers, `random.dropout`.
    Random,
    /// `data.`: where the reading of the data stands, `data.position`.
    Data,
    /// `carry.`: the state carried from one window of a stream to the next, `carry.h`.
    Carry,
    /// `average.`: the running average of a parameter, `average.head.weight`.
    Average,
}

impl Group {
    /// The groups with a prefix.
    pub const PREFIXED: [Group; 5] = [Group::Optimizer, Group::Random, Group::Data, Group::Carry, Group::Average];

    /// The prefix, with its dot; empty for parameters.
    pub fn prefix(self) -> &'static str {
        match self {
            Group::Parameter => "",
            Group::Optimizer => "optimizer.",
            Group::Random => "random.",
            Group::Data => "data.",
            Group::Carry => "carry.",
            Group::Average => "average.",
        }
    }

    /// The group a name belongs to.
    pub fn of(name: &str) -> Group {
        let prefixed = Group::PREFIXED.into_iter().find(|g| name.starts_with(g.prefix()));
        prefixed.unwrap_or(Group::Parameter)
    }
}
