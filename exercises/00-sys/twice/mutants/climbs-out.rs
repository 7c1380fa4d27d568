0 => match child() {},
