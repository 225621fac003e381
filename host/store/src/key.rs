//! Keys as bytes that sort like the values they came from.
//!
//! Every encoding is either of fixed width or ends with a terminator, so no key of a type is the
//! beginning of another key of that type. That makes a tuple's encoding the plain concatenation of
//! its parts, makes the first parts of a tuple a usable prefix, and lets ranges treat "after this
//! key" as "after everything that begins with this key".

use uuid::Uuid;

/// A value that can stand in a key.
///
/// Two laws hold for every implementation, and an implementation for a newtype keeps them by
/// delegating to the inner type: `decode` gives back what `encode` took, reading exactly the bytes
/// that it wrote; and the encodings of two values compare, byte by byte, as the values do.
pub trait Key: Sized {
    /// Appends the value's bytes to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads one value from the front of `input` and moves `input` behind it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where the bytes are not what `encode` of this type writes.
    fn decode(input: &mut &[u8]) -> Result<Self, KeyError>;
}

/// Bytes that are not a key of the expected type: a table's key type was changed without a
/// migration, or the database is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key ends before its last part does.
    #[error("the key is too short")]
    TooShort,
    /// Bytes remain after the last part.
    #[error("the key has {0} bytes too many")]
    TooLong(usize),
    /// A part holds a value that its type cannot have.
    #[error("the key holds no valid {0}")]
    Invalid(&'static str),
}

/// The bytes of one key.
pub(crate) fn encoded(key: &impl Key) -> Vec<u8> {
    let mut out = Vec::new();
    key.encode(&mut out);
    out
}

/// Reads a key that must fill all of `input`.
pub(crate) fn decode_whole<K: Key>(mut input: &[u8]) -> Result<K, KeyError> {
    let key = K::decode(&mut input)?;
    match input.len() {
        0 => Ok(key),
        rest => Err(KeyError::TooLong(rest)),
    }
}

impl Key for () {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(_: &mut &[u8]) -> Result<Self, KeyError> {
        Ok(())
    }
}

impl<const N: usize> Key for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, KeyError> {
        let (part, rest) = input.split_first_chunk().ok_or(KeyError::TooShort)?;
        *input = rest;
        Ok(*part)
    }
}

impl Key for Uuid {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_bytes().encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, KeyError> {
        <[u8; 16]>::decode(input).map(Self::from_bytes)
    }
}

impl Key for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn decode(input: &mut &[u8]) -> Result<Self, KeyError> {
        match u8::decode(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(KeyError::Invalid("boolean")),
        }
    }
}

/// Big-endian bytes sort as the numbers do.
macro_rules! number_keys {
    ($($number:ty),*) => {$(
        impl Key for $number {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn decode(input: &mut &[u8]) -> Result<Self, KeyError> {
                Key::decode(input).map(Self::from_be_bytes)
            }
        }
    )*};
}
number_keys!(u8, u16, u32, u64);

/// Follows a NUL that belongs to the text. It sorts above [`END`], so that a text comes before the
/// longer texts that continue it with a NUL.
const NUL: u8 = 0xFF;
/// Follows the NUL that ends the text.
const END: u8 = 0x01;

impl Key for String {
    fn encode(&self, out: &mut Vec<u8>) {
        out.reserve(self.len() + 2);
        for &byte in self.as_bytes() {
            out.push(byte);
            if byte == 0 {
                out.push(NUL);
            }
        }
        out.extend_from_slice(&[0, END]);
    }

    fn decode(input: &mut &[u8]) -> Result<Self, KeyError> {
        let mut text = Vec::new();
        loop {
            let nul = input
                .iter()
                .position(|&byte| byte == 0)
                .ok_or(KeyError::TooShort)?;
            let (part, rest) = input.split_at(nul);
            text.extend_from_slice(part);
            let [_, mark, rest @ ..] = rest else {
                return Err(KeyError::TooShort);
            };
            *input = rest;
            match *mark {
                NUL => text.push(0),
                END => break,
                _ => return Err(KeyError::Invalid("text")),
            }
        }
        Self::from_utf8(text).map_err(|_| KeyError::Invalid("text"))
    }
}

macro_rules! tuple_keys {
    ($(($($part:ident),+))*) => {$(
        impl<$($part: Key),+> Key for ($($part,)+) {
            fn encode(&self, out: &mut Vec<u8>) {
                #[expect(non_snake_case, reason = "the parts are named after their types")]
                let ($($part,)+) = self;
                $($part.encode(out);)+
            }

            fn decode(input: &mut &[u8]) -> Result<Self, KeyError> {
                Ok(($($part::decode(input)?,)+))
            }
        }
    )*};
}
tuple_keys! { (A) (A, B) (A, B, C) (A, B, C, D) }

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts in which NUL, the bytes around it and common beginnings are frequent.
    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(vec!['\0', '\u{1}', 'a', 'b', '\u{7f}', 'ÿ', '\u{10FFFF}']),
            0..5,
        )
        .prop_map(String::from_iter)
    }

    fn uuid() -> impl Strategy<Value = Uuid> {
        any::<u128>().prop_map(Uuid::from_u128)
    }

    fn check<K: Key + Ord + std::fmt::Debug>(a: &K, b: &K) -> Result<(), TestCaseError> {
        let (left, right) = (encoded(a), encoded(b));
        prop_assert_eq!(left.cmp(&right), a.cmp(b));
        prop_assert!(
            a == b || !right.starts_with(&left),
            "one key begins another"
        );
        prop_assert_eq!(&decode_whole::<K>(&left).unwrap(), a);
        for cut in 0..left.len() {
            prop_assert!(decode_whole::<K>(&left[..cut]).is_err());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn texts_sort_and_return(a in text(), b in text()) {
            check(&a, &b)?;
        }

        #[test]
        fn tuples_sort_and_return(
            a in (text(), any::<u16>(), text(), any::<bool>()),
            b in (text(), any::<u16>(), text(), any::<bool>()),
        ) {
            check(&a, &b)?;
            check(&(a.0.clone(), a.2.clone()), &(b.0.clone(), b.2.clone()))?;
            check(&(a.1, a.0), &(b.1, b.0))?;
        }

        #[test]
        fn fixed_widths_sort_and_return(
            a in (any::<u8>(), any::<u32>(), any::<u64>(), uuid()),
            b in (any::<u8>(), any::<u32>(), any::<u64>(), uuid()),
        ) {
            check(&a, &b)?;
            check(&(a.3,), &(b.3,))?;
            check(&[a.0; 32], &[b.0; 32])?;
        }

        #[test]
        fn no_bytes_make_decoding_panic(bytes: Vec<u8>) {
            let _ = decode_whole::<(String, bool, Uuid)>(&bytes);
        }
    }

    #[test]
    fn foreign_bytes_are_named() {
        assert_eq!(decode_whole::<u8>(&[1, 2, 3]), Err(KeyError::TooLong(2)));
        assert_eq!(
            decode_whole::<bool>(&[7]),
            Err(KeyError::Invalid("boolean"))
        );
        assert_eq!(
            decode_whole::<String>(&[0xC3, 0, END]),
            Err(KeyError::Invalid("text"))
        );
        assert_eq!(
            decode_whole::<String>(&[b'a', 0, 7]),
            Err(KeyError::Invalid("text"))
        );
    }
}
