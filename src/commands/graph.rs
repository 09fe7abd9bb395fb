//! `autoreg graph`: the graph that one training step of a model records, as DOT or as a picture.

use crate::families::Recorded;
use crate::families::opened::{PATH_HELP, open};
use crate::terminal::{Context, output};
use autograd::{Id, Node, Tensor};
use clap::Args;
use layout::backends::svg::SVGWriter;
use layout::gv::{DotParser, GraphBuilder};
use models::error::{Error, Kind, Result};
use std::collections::HashMap;
use std::collections::btree_map::{BTreeMap, Entry};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Draw the recorded graph of the loss of one window: operations, shapes, and the lines of code that made them.
///
/// Gradients flow along the arrows, backwards. What no gradient flows into (symbols, the state at the start) is not recorded
/// and not shown.
#[derive(Args)]
pub struct Arguments {
    #[arg(value_name = "RUN|CHECKPOINT", help = PATH_HELP)]
    model: PathBuf,

    /// A picture (.svg) or a file for Graphviz (.dot); without it DOT goes to stdout
    #[arg(short, long, value_name = "FILE.svg|FILE.dot")]
    output: Option<PathBuf>,

    /// Length of the window
    #[arg(long, value_name = "T", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1024))]
    length: u32,

    /// Sequences in the batch
    #[arg(long, value_name = "B", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: u32,
}

/// Runs the subcommand.
///
/// # Errors
/// A usage error for a file that is neither .svg nor .dot, a bad input for one that is no model, a disk error.
pub fn run(arguments: Arguments, context: &Context) -> Result<()> {
    let picture = arguments.output.as_deref().map(is_picture).transpose()?;
    output::check(arguments.output.as_deref(), &[&arguments.model])?;
    let model = open(&arguments.model)?;
    model.source().spares_data(arguments.output.as_deref())?;
    let Recorded { loss, parameters } = model.graph(arguments.batch as usize, arguments.length as usize)?;
    let names = parameters.into_iter().map(|(name, id)| (id, name)).collect();
    let dot = dot(&loss, &names);
    let Some(path) = arguments.output else { return context.results.text(&dot) };
    let content = if picture == Some(true) { svg(&dot)? } else { dot };
    output::write(&path, content.as_bytes())
}

/// Whether a file name asks for a picture rather than for DOT.
fn is_picture(path: &Path) -> Result<bool> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => Ok(true),
        Some("dot" | "gv") => Ok(false),
        _ => Err(Error::new(Kind::Usage, format!("{} is neither .svg nor .dot", path.display()))
            .help("choose the form by the ending of the file's name")),
    }
}

/// The graph that ends in `loss`, in Graphviz's language, in the order in which it was recorded.
fn dot(loss: &Tensor<f32>, names: &HashMap<Id, String>) -> String {
    let mut nodes: BTreeMap<Id, Rc<Node<f32>>> = BTreeMap::new();
    let mut open: Vec<_> = loss.node().cloned().into_iter().collect();
    while let Some(node) = open.pop() {
        if let Entry::Vacant(place) = nodes.entry(node.id()) {
            open.extend(node.inputs().iter().flatten().cloned());
            place.insert(node);
        }
    }
    let number: HashMap<Id, usize> = nodes.keys().enumerate().map(|(i, &id)| (id, i)).collect();
    let mut dot = "digraph autoreg {\n".to_owned();
    for (id, node) in &nodes {
        let shape = node.shape().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let label = match names.get(id) {
            Some(name) => format!("{name}\\n({shape})\" shape=\"ellipse"),
            None => format!("{}\\n({shape})\\n{}\" shape=\"box", node.op(), place(node)),
        };
        dot += &format!("  n{} [label=\"{label}\"];\n", number[id]);
    }
    for (id, node) in &nodes {
        for input in node.inputs().iter().flatten() {
            dot += &format!("  n{} -> n{};\n", number[&input.id()], number[id]);
        }
    }
    dot + "}\n"
}

/// The file and line of the code that recorded a node.
fn place(node: &Node<f32>) -> String {
    let file = node.at().file().rsplit(['/', '\\']).next().unwrap_or_default();
    format!("{file}:{}", node.at().line())
}

/// The picture of a graph in Graphviz's language.
fn svg(dot: &str) -> Result<String> {
    let graph = DotParser::new(dot)
        .process()
        .map_err(|why| Error::new(Kind::Failed, "cannot draw the graph").cause(why).help("write it as .dot"))?;
    let mut builder = GraphBuilder::new();
    builder.visit_graph(&graph);
    let mut writer = SVGWriter::new();
    builder.get().do_it(false, false, false, &mut writer);
    Ok(writer.finalize())
}
