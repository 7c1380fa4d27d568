//! Instructions of classic BPF, put together from the end of the program to its beginning.
//!
//! Jumps lead forwards only, so whoever writes backwards knows where each of them leads. A comparison reaches 255
//! instructions far; what is further away is reached by way of a jump, or copied when it is a single return.
//! `linux/filter.h`; Documentation/networking/filter.rst of the kernel.

use std::collections::HashMap;

use mini_sys::seccomp::Instruction;

/// Puts a word of the call's description into the accumulator: `BPF_LD | BPF_W | BPF_ABS`.
const LOAD: u16 = 0x20;
/// `BPF_ALU | BPF_AND | BPF_K`.
const AND: u16 = 0x54;
/// `BPF_JMP | BPF_JA`.
const JUMP: u16 = 0x05;
/// `BPF_RET | BPF_K`.
const RETURN: u16 = 0x06;

/// A comparison of the accumulator with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Compare {
    /// `BPF_JMP | BPF_JEQ | BPF_K`.
    Equal = 0x15,
    /// `BPF_JMP | BPF_JGT | BPF_K`.
    Greater = 0x25,
    /// `BPF_JMP | BPF_JGE | BPF_K`.
    GreaterOrEqual = 0x35,
}

/// An instruction that is written already, counted from the end of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

/// A program that is being written.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    backwards: Vec<Instruction>,
    returns: HashMap<u32, Place>,
}

impl Assembler {
    /// Ends with this answer.
    pub(super) fn answer(&mut self, value: u32) -> Place {
        match self.returns.get(&value) {
            Some(place) => *place,
            None => {
                let place = self.push(RETURN, 0, 0, value);
                self.returns.insert(value, place);
                place
            }
        }
    }

    /// Loads the word at this offset of `struct seccomp_data`, and goes on at `then`.
    pub(super) fn load(&mut self, offset: u32, then: Place) -> Place {
        self.go_on_at(then);
        self.push(LOAD, 0, 0, offset)
    }

    /// Keeps the bits of `mask`, and goes on at `then`.
    pub(super) fn mask(&mut self, mask: u32, then: Place) -> Place {
        self.go_on_at(then);
        self.push(AND, 0, 0, mask)
    }

    /// Goes on at `yes` when the comparison holds, else at `no`.
    pub(super) fn branch(&mut self, compare: Compare, number: u32, yes: Place, no: Place) -> Place {
        if yes == no {
            return yes;
        }
        // The second may need an instruction of its own between the first and here.
        let yes = self.within_reach(yes, 1);
        let no = self.within_reach(no, 0);
        let (yes, no) = (self.distance(yes), self.distance(no));
        self.push(compare as u16, yes as u8, no as u8, number)
    }

    /// The program, from `start` on.
    pub(super) fn finish(mut self, start: Place) -> Vec<Instruction> {
        self.go_on_at(start);
        self.backwards.reverse();
        self.backwards
    }

    fn push(&mut self, code: u16, if_true: u8, if_false: u8, operand: u32) -> Place {
        self.backwards.push(Instruction { code, if_true, if_false, operand });
        Place(self.backwards.len() - 1)
    }

    /// How many instructions lie between the next one and `place`.
    fn distance(&self, place: Place) -> usize {
        self.backwards.len() - place.0 - 1
    }

    /// Makes `place` what follows.
    fn go_on_at(&mut self, place: Place) {
        if self.distance(place) > 0 {
            self.approach(place);
        }
    }

    /// A place that a comparison reaches and that leads to `place`.
    fn within_reach(&mut self, place: Place, reserve: usize) -> Place {
        if self.distance(place) + reserve <= usize::from(u8::MAX) { place } else { self.approach(place) }
    }

    fn approach(&mut self, place: Place) -> Place {
        let target = self.backwards[place.0];
        if target.code == RETURN {
            let copy = self.push(RETURN, 0, 0, target.operand);
            self.returns.insert(target.operand, copy);
            return copy;
        }
        let distance = self.distance(place) as u32;
        self.push(JUMP, 0, 0, distance)
    }
}
